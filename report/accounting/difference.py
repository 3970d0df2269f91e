"""Report stage 4: why the run emitted something else than planned, by parts that add up exactly.

Carbon is a product: device hours x power x PUE x intensity. The logarithmic-mean (LMDI) decomposition shares the
difference out over the factors with no remainder: share = L(actual, planned) * ln(factor ratio), where
L(a, b) = (a - b) / ln(a / b). Source: B. W. Ang, Energy Policy 33 (2005) 867-871, doi:10.1016/j.enpol.2003.10.010.
"""

from __future__ import annotations

import math

from ...spec.estimate import Estimate
from ...spec.plan import CarbonPlan
from ..values import Change, Row


def log_mean(a: float, b: float) -> float:
    """The logarithmic mean of two positive numbers; their common value when they are equal."""
    return a if math.isclose(a, b, rel_tol=1e-12) else (a - b) / (math.log(a) - math.log(b))


def changes(planned: Row, actual: Row, estimate: Estimate, carbon: CarbonPlan | None) -> tuple[Change, ...]:
    """Each factor's part of actual - planned, in tonnes. Empty when a factor is unknown or not positive."""
    tonnes = planned.carbon_tonnes or 0.0, actual.carbon_tonnes or 0.0
    if carbon is None or min(tonnes) <= 0:
        return ()
    factors = (
        ("time", planned.device_hours, actual.device_hours, "device hours"),
        ("power", planned.power_watts, actual.power_watts, "W"),
        ("PUE", estimate.pue, carbon.pue, ""),
        ("intensity", estimate.intensity_kg_per_kwh, carbon.intensity_kg_per_kwh, "kgCO2eq/kWh"),
    )
    weight = log_mean(*tonnes)
    found: list[Change] = []
    for cause, before, after, unit in factors:
        if not before or not after or not 0 < (ratio := after / before) < math.inf:
            return ()
        found.append(
            Change(cause=cause, planned=before, actual=after, unit=unit, ratio=ratio, tonnes=weight * math.log(ratio))
        )
    return tuple(found)
