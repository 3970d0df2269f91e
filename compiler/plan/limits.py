"""The limits of a spec against its estimate: which are kept, at risk, or broken.

In: a spec and its estimate. Out: a `Limit` for each that the spec sets. Site power is the devices at their cap, which
they may all reach at once, so it has no range.
"""

from __future__ import annotations

from ...spec.estimate import Estimate, Limit, Range
from ...spec.limits import LimitName
from ...spec.sections import Spec


def compare_limits(spec: Spec, estimate: Estimate) -> tuple[Limit, ...]:
    """Each limit of `spec` with what is predicted of it."""
    if spec.limits is None:
        return ()
    found: dict[LimitName, Range | None] = {
        "days": estimate.days,
        "carbon": estimate.carbon_tonnes,
        "energy": estimate.energy_kwh,
        "cost": estimate.cost,
        "memory": estimate.memory_bytes,
        "site_power": _site_power(spec, estimate),
    }
    return tuple(Limit.of(name, most, found[name]) for name, most in spec.limits.given.items())


def _site_power(spec: Spec, estimate: Estimate) -> Range | None:
    """All devices at their cap (without one at their default limit; processors at what the spec says they draw)."""
    each = estimate.power_limit_watts or spec.cluster.device_power
    if each is None:
        return None
    watts = each * estimate.devices
    return Range(value=watts, low=watts, high=watts, because="devices x power cap")
