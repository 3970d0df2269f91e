"""What a site's power buys as a picture: days against carbon, with ranges, and the front that nothing beats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...spec.estimate import Range
from ...spec.limits import LimitName
from ...spec.scaling import ScalingPoint
from ..tables.under_power import pareto, shown_points
from .plots import COLOURS, new_figure, plot_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes


def write_pareto_plot(points: Sequence[ScalingPoint], best: ScalingPoint | None, title: str, path: Path) -> None:
    """Write the picture; its ending says the format. Raises OSError or ValueError when it cannot be written."""
    shown = [point for point in shown_points(points, best) if point.estimate]
    with plot_settings():
        figure, panels = new_figure(1, 1, (9, 5.2))
        axes = panels[0]
        _front(axes, pareto(points))
        for index, point in enumerate(sorted(shown, key=lambda p: p.setup.power_cap or 0.0)):
            _point(axes, point, COLOURS[index % len(COLOURS)], chosen=point is best)
        estimates = [point.estimate for point in shown if point.estimate]
        _limits(axes, {limit.name: limit.most for found in estimates for limit in found.limits})
        axes.set(xlabel="Days of training", ylabel="Carbon of the run (tCO2eq)", xlim=(0, None), ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5), title="devices x cap")
        axes.set_title(title)
        figure.savefig(path, dpi=144, bbox_inches="tight")


def _front(axes: Axes, front: Sequence[ScalingPoint]) -> None:
    known = [point.estimate for point in front if point.estimate]
    days = [found.days.value for found in known if found.days]
    carbon = [found.carbon_tonnes.value for found in known if found.carbon_tonnes]
    axes.plot(days, carbon, color="0.6", lw=1, ls="--", zorder=1, label="Pareto front")


def _point(axes: Axes, point: ScalingPoint, colour: str, *, chosen: bool) -> None:
    """One point with its two ranges."""
    days, carbon = (point.estimate.days, point.estimate.carbon_tonnes) if point.estimate else (None, None)
    if days is None or carbon is None:
        return
    axes.errorbar(
        days.value,
        carbon.value,
        xerr=_bounds(days),
        yerr=_bounds(carbon),
        fmt="*" if chosen else "o",
        ms=13 if chosen else 6,
        color=colour,
        elinewidth=1,
        alpha=0.9,
        label=f"{point.devices:,} x {point.setup.power_cap:g} W" + (" (chosen)" if chosen else ""),
    )


def _bounds(value: Range) -> list[list[float]]:
    return [[value.value - value.low], [value.high - value.value]]


def _limits(axes: Axes, most: Mapping[LimitName, float]) -> None:
    if "days" in most:
        axes.axvline(most["days"], color="0.3", lw=1, label=f"limit of {most['days']:g} days")
    if "carbon" in most:
        axes.axhline(most["carbon"], color="0.3", lw=1, ls=":", label=f"limit of {most['carbon']:g} tCO2eq")
