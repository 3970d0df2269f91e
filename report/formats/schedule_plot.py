"""A proposed schedule as a picture: the intensity of each hour, and below it the cap of each, with pauses as gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...spec.proposal import Proposal
from ...spec.units import HOUR
from .plots import COLOURS, new_figure, plot_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write_schedule_plot(found: Proposal, begin: float, intensity: Sequence[float], title: str, path: Path) -> None:
    """Write the picture; its ending says the format. Raises OSError or ValueError when it cannot be written."""
    with plot_settings():
        figure, (above, below) = new_figure(2, 1, (9, 4.6))
        times = [_date(begin + hour * HOUR) for hour in range(len(intensity))]
        above.step(times, list(intensity), where="post", color="0.45", lw=0.8)
        above.set(ylabel="Intensity (kg/kWh)", ylim=(0, None), title=title)
        _caps(below, found)
        for axes in (above, below):
            axes.set_xlim(times[0], _date(begin + len(intensity) * HOUR))
            axes.grid(alpha=0.25, lw=0.5)
            for span in found.spans:
                if not span.paused:
                    axes.axvspan(_date(span.begin), _date(span.end), color=COLOURS[0], alpha=0.12, lw=0)
        figure.autofmt_xdate()
        figure.savefig(path, dpi=144)


def _caps(axes: Axes, found: Proposal) -> None:
    """A level for each span of training; those without a cap on a level of their own."""
    for span in found.spans:
        if not span.paused:
            level = span.cap_watts if span.cap_watts is not None else 0.0
            axes.plot([_date(span.begin), _date(span.end)], [level, level], color=COLOURS[1], lw=2.2)
    capped = any(span.cap_watts is not None for span in found.spans)
    axes.set(ylabel="Power cap (W)" if capped else "training", ylim=(0, None) if capped else (-1, 1))
    if not capped:
        axes.set_yticks([])


def _date(seconds: float) -> Any:  # matplotlib takes dates, its types do not say so
    return datetime.fromtimestamp(seconds, UTC)
