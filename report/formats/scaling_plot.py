"""The curves of a scaling sweep as a picture: throughput per device, and carbon of the whole run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..tables.scaling import ScalingRow
from .plots import new_figure, plot_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = (
    ("tokens_per_second_per_device", "Tokens per second and device"),
    ("carbon_tonnes", "Carbon of the run (tCO2eq)"),
)


def write_scaling_plot(rows: Sequence[ScalingRow], title: str, path: Path) -> None:
    """Write the picture; its ending says the format. Raises OSError or ValueError when it cannot be written."""
    with plot_settings():
        figure, panels = new_figure(1, len(PANELS), (11, 4.2))
        for axes, (key, label) in zip(panels, PANELS, strict=True):
            _draw(axes, rows, key, label)
        panels[0].legend(frameon=False)
        figure.suptitle(title)
        figure.savefig(path, dpi=144)


def _draw(axes: Axes, rows: Sequence[ScalingRow], key: str, label: str) -> None:
    """One panel: a line for each fabric and cap, over the device count in doublings."""
    for fabric, cap in dict.fromkeys(row.curve for row in rows):
        known = [row for row in rows if row.curve == (fabric, cap) and getattr(row, key)]
        name = f"{fabric}, {cap:g} W" if cap else fabric
        axes.plot([row.devices for row in known], [getattr(row, key) for row in known], marker="o", ms=4, label=name)
    axes.set(xlabel="Devices", ylabel=label, ylim=(0, None))
    axes.set_xscale("log", base=2)
    axes.set_xticks([row.devices for row in rows], [f"{row.devices:,}" for row in rows], rotation=45)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
