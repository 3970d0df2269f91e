"""Report stage 4c: a run and the limits of its spec in, whether each was kept out.

Days are those in which the run held its devices, power is the highest that all devices together were seen to draw.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.estimate import Estimate, Limit, Range
from ...spec.limits import LimitName
from ...spec.units import DAY
from ..values import Attempt, Curves, Row


def measured_limits(estimate: Estimate, row: Row, attempts: Sequence[Attempt], steps: Curves) -> tuple[Limit, ...]:
    """Each limit of the plan that last trained, against what the run took so far; `unknown` where nobody measured."""
    took: dict[LimitName, float | None] = {
        "days": sum(attempt.seconds for attempt in attempts) / DAY,
        "carbon": row.counted_tonnes,
        "energy": row.energy_kwh,
        "cost": row.cost,
        "memory": _highest(steps.memory_bytes),
        "site_power": _site_power(attempts, steps),
    }
    return tuple(limit.against(_exact(took[limit.name])) for limit in estimate.limits)


def _highest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _site_power(attempts: Sequence[Attempt], steps: Curves) -> float | None:
    """The highest mean draw of a device in any step, for all devices."""
    each, devices = _highest(steps.power_watts), _highest([attempt.world_size for attempt in attempts])
    return None if each is None or devices is None else each * devices


def _exact(value: float | None) -> Range | None:
    return None if value is None else Range(value=value, low=value, high=value)
