"""Carbon intensity by the clock: equal spans of time that follow each other, each with its kg/kWh.

Times are Unix seconds, so no hour is missing or double where clocks are set; a gap is refused by whoever makes a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil

from .problem import InputError


@dataclass(frozen=True, slots=True)
class Hourly:
    """Intensities in kg/kWh of spans of `step` seconds, the first beginning at `begin`; where they are from."""

    begin: float
    step: float
    values: tuple[float, ...]
    source: str

    @property
    def end(self) -> float:
        """When the last span ends."""
        return self.begin + self.step * len(self.values)

    def mean(self, begin: float, end: float) -> float:
        """The mean over a window. Raises InputError (TW896) where the window is not within the spans."""
        if not self.begin <= begin < end <= self.end:
            message = f"there is no intensity from {moment(begin)} to {moment(end)}"
            remedy = f"The hours known are {moment(self.begin)} to {moment(self.end)}."
            raise InputError.one("TW896", message, remedy, "carbon.intensity")
        first, last = int((begin - self.begin) // self.step), ceil((end - self.begin) / self.step)
        starts = ((index, self.begin + index * self.step) for index in range(first, last))
        total = sum(self.values[i] * max(min(end, at + self.step) - max(begin, at), 0.0) for i, at in starts)
        return total / (end - begin)


def hourly(rows: Sequence[tuple[float, float]], source: str, place: str) -> Hourly:
    """Spans from rows of (begin, kg/kWh). Raises InputError (TW895) naming gaps, repeated and mixed spans."""
    if len(rows) < 2:
        raise InputError.one("TW895", f"{place} has fewer than two hours", "Give the hours of the whole window.")
    step = rows[1][0] - rows[0][0]
    for (before, _), (after, _) in pairwise(rows):
        if after - before != step or step <= 0:
            raise InputError.one(
                "TW895", f"{place}: {_fault(before, after, step)}", "Export every hour once, in order."
            )
    return Hourly(rows[0][0], step, tuple(value for _, value in rows), source)


def _fault(before: float, after: float, step: float) -> str:
    if after == before:
        return f"{moment(before)} stands twice"
    if after < before or step <= 0:
        return f"{moment(after)} comes after {moment(before)}"
    if after - before > step:
        return f"no intensity from {moment(before + step)} to {moment(after)}"
    return f"a span of {after - before:g} s among spans of {step:g} s"


def moment(seconds: float) -> str:
    """A time as a person reads it, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%MZ}"
