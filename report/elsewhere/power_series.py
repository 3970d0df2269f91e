"""Samples of a device's power, or of its energy counter, in; energy and what it covers out.

Between two samples the mean of both holds (the trapezoidal rule). Where a sample is missing, or two lie further apart
than `sample_gap` times the usual distance, nobody knows: the span counts as uncovered, and no energy is made up for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ...spec.facts import figures
from ...spec.units import JOULES_PER_KWH

SAMPLE_GAP: float = figures("reporting")["sample_gap"]
Sample = tuple[float, float | None]  # Unix seconds, and watts or joules so far


class SeriesError(ValueError):
    """Samples of which nobody can tell what was used."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What samples of one device come to."""

    begin: float
    end: float
    covered: float  # seconds
    kwh: float


def metered(samples: Sequence[Sample], *, counter: bool = False) -> Metered:
    """Energy of one device; `counter`: the samples are joules since some moment. Raises SeriesError.

    The same sample twice is one; two values of one moment, and a clock that goes back, are refused.
    """
    ordered = _distinct(samples)
    if len(ordered) < 2:
        raise SeriesError("fewer than two samples of a device give no span of time")
    usual = median(after[0] - before[0] for before, after in pairwise(ordered))
    joules = covered = 0.0
    for (begin, first), (end, last) in pairwise(ordered):
        passed = end - begin
        if first is None or last is None or (not counter and passed > SAMPLE_GAP * usual):
            continue
        used = last - first if counter else (first + last) / 2 * passed
        if used < 0:  # a counter that began again; what it counted before is lost
            continue
        joules, covered = joules + used, covered + passed
    return Metered(ordered[0][0], ordered[-1][0], covered, joules / JOULES_PER_KWH)


def _distinct(samples: Sequence[Sample]) -> list[Sample]:
    found: list[Sample] = []
    for moment, value in samples:
        if found and moment == found[-1][0]:
            if value != found[-1][1]:
                raise SeriesError(f"two values of one device at one moment ({found[-1][1]} and {value})")
            continue
        if found and moment < found[-1][0]:
            raise SeriesError(f"the clock goes back by {found[-1][0] - moment:,.0f} s")
        found.append((moment, value))
    return found
