"""What is compared as a figure: a panel a quantity, a mark a run or spec, the range of a prediction as a bar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...spec.foreign_text import for_plot
from ...spec.number_text import style
from ..document import Panel
from .plots import COLOURS, can_plot, new_figure, plot_settings, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS = {"planned": ("o", "white"), "published": ("D", "white")}  # what was not measured is hollow
LONGEST = 40  # characters of a name


def write_comparison(panels: Sequence[Panel], folder: Path) -> list[Path]:
    """Draw `comparison` as PNG, SVG and PDF; nothing without panels or matplotlib."""
    if not panels or not can_plot():
        return []
    rows = len(panels[0].bars)
    with plot_settings():
        figure, places = new_figure(1, len(panels), (1.6 + 2.4 * len(panels), 1.2 + 0.32 * rows))
        for index, (axes, panel) in enumerate(zip(places, panels, strict=True)):
            _draw(axes, panel)
            if index:
                axes.set_yticklabels([])
        return save_figure(figure, folder / "comparison")


def _draw(axes: Axes, panel: Panel) -> None:
    """From zero, the first on top; one hue, since the shape of a mark says what it rests on."""
    column = style([bar.range.high for bar in panel.bars if bar.range], panel.units)
    for place, bar in enumerate(panel.bars):
        if bar.range is None:
            axes.text(0.02, place, "unknown", transform=axes.get_yaxis_transform(), va="center", color="0.45")
            continue
        value, low, high = (each / column.scale for each in (bar.range.value, bar.range.low, bar.range.high))
        axes.plot([low, high], [place, place], color=COLOURS[0], lw=5, alpha=0.35, solid_capstyle="butt")
        shape, filling = MARKS.get(bar.basis, ("o", COLOURS[0]))
        axes.plot([value], [place], shape, ms=6, mfc=filling, mec=COLOURS[0])
    axes.set_yticks(range(len(panel.bars)), [_name(bar.label, bar.basis) for bar in panel.bars])
    axes.set_ylim(len(panel.bars) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{panel.name} ({column.unit})")
    axes.grid(axis="x", alpha=0.25, lw=0.5)


def _name(label: str, basis: str) -> str:
    shown = label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}\u2026"
    return f"{for_plot(shown)}\n{basis}"
