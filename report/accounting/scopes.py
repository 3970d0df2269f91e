"""Report stage 4b: what is counted, line by line: devices, cooling (PUE), then the wider scopes of the estimate.

Devices and cooling rest on the run's own energy in training; preparation has lines of its own. Nobody meters the wider
scopes (host, network, embodied), so the estimate's parts are taken over, in proportion to the device hours that the run
really held; they stay `estimated`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.emissions import carbon_tonnes
from ...spec.estimate import Estimate, Part
from ...spec.phases import PREPARATION
from ...spec.plan import CarbonPlan
from ..values import Basis, Row, Scope, Span
from .emissions_row import emitted

COOLED = ("host", "network")  # wider scopes whose electricity the site cools, as it cools the devices


def scopes(
    actual: Row, spans: Sequence[Span], estimate: Estimate | None, carbon: CarbonPlan | None
) -> tuple[Scope, ...]:
    """Scope lines of a run; empty when its factors are unknown."""
    if carbon is None:
        return ()
    wider = _wider(actual, estimate)
    bare = None if actual.energy_kwh is None else carbon_tonnes(actual.energy_kwh, 1.0, carbon.intensity_kg_per_kwh)
    cooled = bare and bare + sum(line.carbon_tonnes or 0.0 for line in wider if line.name in COOLED)
    cooling = None if cooled is None else cooled * (carbon.pue - 1.0)
    return (
        _line("devices", bare, actual.basis, carbon.intensity_source),
        _line("cooling and distribution", cooling, actual.basis, f"PUE {carbon.pue:g}, from the spec"),
        *(_preparation(span, carbon) for span in spans if span.phase in PREPARATION),
        *wider,
    )


def _line(name: str, tonnes: float | None, basis: Basis, source: str) -> Scope:
    return Scope(name=name, carbon_tonnes=tonnes, low=None, high=None, basis=basis, source=source)


def _wider(actual: Row, estimate: Estimate | None) -> list[Scope]:
    """The estimate's scopes beyond devices and cooling, at the run's own hours."""
    hours = estimate.device_hours.value if estimate and estimate.device_hours else None
    if not estimate or not hours or actual.device_hours is None:
        return []
    parts = [part for part in estimate.scope_parts if part.name in (*COOLED, "embodied")]
    return [_scaled(part, actual.device_hours / hours) for part in parts]


def _preparation(span: Span, carbon: CarbonPlan) -> Scope:
    """Making tokenizer and shards, before training; not in the table's row."""
    basis: Basis = "unknown" if span.energy_kwh is None else "measured" if span.measured else "estimated"
    return _line(f"making the {span.phase}", emitted(span.energy_kwh, carbon), basis, "energy of the phase, with PUE")


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
