"""The ranks of a run over its steps, as a grid of a size that a figure can show."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TypeVar

from ...spec.events import DevicesEvent, Event
from ..values import HeatMap, HeatMetric

Value = TypeVar("Value")

COLUMNS = 100  # at most; of entries that share one the mean is shown
ROWS = 500  # at most; of ranks that share one the worst is shown
METRICS: tuple[HeatMetric, ...] = ("clock_mhz", "own_seconds")  # the first of which anything is known


def heat_map(events: Iterable[Event]) -> HeatMap | None:
    """Clock, or where it is unknown own time a step, of each rank at each entry. None where neither is known."""
    entries = [event for event in events if isinstance(event, DevicesEvent)]
    for metric in METRICS:
        if any(value is not None for event in entries for value in getattr(event, metric)):
            return _grid(entries, metric)
    return None


def _grid(entries: Sequence[DevicesEvent], metric: HeatMetric) -> HeatMap:
    found: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)  # by attempt and step, by rank
    for event in entries:
        for rank, value in zip(event.ranks, getattr(event, metric), strict=False):
            if rank is not None and value is not None:
                found[event.attempt or 1, event.step or 0][rank] = value
    columns = _split(list(found), COLUMNS)
    bands = _split(sorted({rank for values in found.values() for rank in values}), ROWS)
    worst = min if metric == "clock_mhz" else max
    cells: list[tuple[float | None, ...]] = []
    for band in bands:
        means = [[_mean([found[at].get(rank) for at in column]) for rank in band] for column in columns]
        cells.append(tuple(worst((mean for mean in each if mean is not None), default=None) for each in means))
    return HeatMap(
        metric=metric,
        ranks=tuple(band[0] for band in bands),
        steps=tuple(column[-1][1] for column in columns),
        cells=tuple(cells),
    )


def _split(values: list[Value], most: int) -> list[list[Value]]:
    """The values in runs of one length, no more than `most` of them."""
    size = max(1, math.ceil(len(values) / most))
    return [values[start : start + size] for start in range(0, len(values), size)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
