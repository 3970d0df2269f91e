"""Ranks over steps as colours: which device is slow, and since when. A dark cell is a slow one; white is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...spec.foreign_text import for_plot
from ..document import Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {"clock_mhz": "Clock (MHz)", "own_seconds": "Own time a step (s)"}
TICKS = 8  # on an axis
HEIGHT = 2.6  # inches of a panel


def heat_maps(runs: Sequence[Series]) -> Figure:
    """A panel a run that has a heat map."""
    from matplotlib.figure import Figure

    maps = [(run.label, run.heat_map) for run in runs if run.heat_map is not None]
    figure = Figure(figsize=(8, HEIGHT * len(maps)), layout="constrained")
    panels = figure.subplots(len(maps), 1, squeeze=False).flat
    for axes, (label, found) in zip(panels, maps, strict=True):
        cells = [[float("nan") if value is None else value for value in row] for row in found.cells]
        colours = "viridis" if found.metric == "clock_mhz" else "viridis_r"
        image = axes.imshow(cells, aspect="auto", interpolation="nearest", cmap=colours)
        figure.colorbar(image, ax=axes, label=WORDS[found.metric])
        for axis, names, word in ((axes.xaxis, found.steps, "Step"), (axes.yaxis, found.ranks, "Rank")):
            places = range(0, len(names), max(1, -(-len(names) // TICKS)))
            axis.set_ticks(list(places), [f"{names[place]:,}" for place in places])
            axis.set_label_text(word)
        axes.set_title(for_plot(label))
    return figure
