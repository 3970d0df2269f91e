"""Report stage 4b: what is counted, line by line: devices, cooling (PUE), then the wider scopes of the estimate.

Devices and cooling rest on the run's own energy in training; preparation has lines of its own. Nobody meters the wider
scopes (host, network, embodied), so the estimate's parts are taken over, in proportion to the device hours that the run
really held; they stay `estimated`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.emissions import carbon_tonnes
from ...spec.estimate import Estimate, Part
from ...spec.plan import CarbonPlan
from .accounting import emitted
from .attempts import PREPARATION
from .values import Basis, Row, Scope, Span

OWN = ("device", "gpu", "cpu", "pue", "cooling")  # parts of the estimate that the run's own energy replaces


def scopes(
    actual: Row, spans: Sequence[Span], estimate: Estimate | None, carbon: CarbonPlan | None
) -> tuple[Scope, ...]:
    """Scope lines of a run; empty when its factors are unknown."""
    if carbon is None:
        return ()
    bare = None if actual.energy_kwh is None else carbon_tonnes(actual.energy_kwh, 1.0, carbon.intensity_kg_per_kwh)
    cooling = None if bare is None else bare * (carbon.pue - 1.0)
    own = [("devices", bare, carbon.intensity_source), ("cooling and losses", cooling, f"PUE {carbon.pue:g}")]
    lines = [
        Scope(name=name, carbon_tonnes=tonnes, low=None, high=None, basis=actual.basis, source=source)
        for name, tonnes, source in own
    ]
    lines += [_preparation(span, carbon) for span in spans if span.phase in PREPARATION]
    hours = estimate.device_hours.value if estimate and estimate.device_hours else None
    if estimate and hours and actual.device_hours is not None:
        wider = [part for part in estimate.scope_parts if not part.name.lower().startswith(OWN)]
        lines += [_scaled(part, actual.device_hours / hours) for part in wider]
    return tuple(lines)


def _preparation(span: Span, carbon: CarbonPlan) -> Scope:
    """Making tokenizer and shards, before training; not in the table's row."""
    basis: Basis = "unknown" if span.energy_kwh is None else "measured" if span.measured else "estimated"
    tonnes = emitted(span.energy_kwh, carbon)
    source = "energy of the phase, with PUE"
    return Scope(name=f"making the {span.phase}", carbon_tonnes=tonnes, low=None, high=None, basis=basis, source=source)


def _scaled(part: Part, ratio: float) -> Scope:
    """An estimated scope at the run's own hours."""
    return Scope(
        name=part.name,
        carbon_tonnes=part.value * ratio,
        low=None if part.low is None else part.low * ratio,
        high=None if part.high is None else part.high * ratio,
        basis="estimated",
        source=part.source,
    )
