"""Report stage 3: attempts in, the emissions row out: device hours, mean power, energy, carbon, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...spec.emissions import WATTS_PER_KILOWATT, carbon_tonnes, exact_sum
from ...spec.estimate import Estimate, Range
from ...spec.event_fields import EnforcedCap
from ...spec.events import Event, FaultEvent, GapEvent, PhaseEvent
from ...spec.facts import figures
from ...spec.plan import CarbonPlan
from ...spec.units import HOUR
from ..values import Attempt, Basis, Fault, Gap, Row, Span
from .attempts import AttemptEvents, span
from .history import RunHistory
from .surviving import lost_after

SUMMED = ("device_hours", "energy_kwh", "carbon_tonnes", "counted_tonnes", "cost", "water_litres")
WHOLE: float = figures("reporting")["fully_measured"]


def world_size(attempt: AttemptEvents, history: RunHistory) -> int | None:
    """Devices of an attempt: as it started, else as planned."""
    given, own = attempt.start.world_size, history.attempts.get(attempt.number)
    device = own.device if own and own.device else history.device
    return given or (device.count if device else None)


def gaps(runs: Sequence[AttemptEvents]) -> list[Gap]:
    """Every span that no meter covers, in order."""
    return [_gap(run.number, event) for run in runs for event in run.events if isinstance(event, GapEvent)]


def faults(runs: Sequence[AttemptEvents]) -> list[Fault]:
    """Everything that went wrong, in order."""
    return [_fault(run.number, event) for run in runs for event in run.events if isinstance(event, FaultEvent)]


def _fault(attempt: int, event: FaultEvent) -> Fault:
    return Fault(attempt=attempt, step=event.step, rank=event.rank, what=event.what, action=event.action)


def _gap(attempt: int, event: GapEvent) -> Gap:
    seconds = max(event.end - event.start, 0.0) if event.start is not None and event.end is not None else 0.0
    return Gap(attempt=attempt, device=event.device, seconds=seconds, reason=event.reason)


def _unmeasured_seconds(found: Sequence[Gap], devices: int) -> float:
    """Device seconds that no meter covers; a gap of device `all` counts for each device."""
    return sum(gap.seconds * (devices if gap.device == "all" else 1) for gap in found)


def _measured_share(run: AttemptEvents, devices: int | None) -> float | None:
    """Share of an attempt's device time that a meter covered; None when there was no time or no device count."""
    if run.start.measured is not True:
        return 0.0
    if not run.seconds or not devices:
        return None
    return max(0.0, 1.0 - _unmeasured_seconds(gaps([run]), devices) / (run.seconds * devices))


def carbon_of(attempt: int, history: RunHistory) -> CarbonPlan | None:
    """The factors that an attempt counts with: those of the plan that it ran with."""
    own = history.attempts.get(attempt)
    return own.carbon if own and own.carbon else history.carbon


def describe_attempts(runs: Sequence[AttemptEvents], history: RunHistory) -> list[Attempt]:
    """Each attempt as the report shows it."""
    return [_attempt(runs, index, history) for index in range(len(runs))]


def _attempt(runs: Sequence[AttemptEvents], index: int, history: RunHistory) -> Attempt:
    run = runs[index]
    devices = world_size(run, history)
    kept_to = max(lost_after(list(runs), index), run.from_step)
    at_kept = run.energy_at(kept_to) if kept_to < run.to_step else run.energy
    lost = max(run.to_step - kept_to, 0)
    return Attempt(
        number=run.number,
        world_size=devices,
        from_step=run.from_step,
        to_step=run.to_step,
        seconds=run.seconds,
        energy_kwh=None if run.energy is None else run.energy - run.energy_before,
        meter=run.start.meter or "none",
        measured=run.start.measured is True,
        measured_share=_measured_share(run, devices),
        lost_steps=lost,
        lost_energy_kwh=None if run.energy is None or at_kept is None else run.energy - at_kept if lost else 0.0,
        ended=_ended(run),
        power_cap=_power_cap(run.start.power_cap),
        carbon=carbon_of(run.number, history),
        began=run.start.time,
    )


def _ended(run: AttemptEvents) -> str:
    if run.stop is None:
        return "no stop event (still running, or killed)"
    code = run.stop.exit_code
    return run.stop.reason + (f" (exit {code})" if code else "")


def _power_cap(cap: EnforcedCap | None) -> str:
    """What became of the power cap, in words."""
    if cap is None or cap.power_cap_watts is None:
        return "none asked for"
    state = "not verified" if cap.applied is None else "applied" if cap.applied else "NOT applied"
    enforced = "" if cap.enforced_watts is None else f", {cap.enforced_watts:g} W enforced"
    return f"{cap.power_cap_watts:g} W {state}{enforced}"


def coverage(found: Sequence[Attempt]) -> float | None:
    """Share of all device time that a meter covered; None when nothing ran."""
    held = [a.seconds * (a.world_size or 0) for a in found]
    total = exact_sum(held)
    if not total or any(a.measured_share is None and a.seconds for a in found):
        return None
    covered = exact_sum([one * (a.measured_share or 0.0) for one, a in zip(held, found, strict=True)])
    return None if covered is None else covered / total


def spans(events: Sequence[Event]) -> list[Span]:
    """Phases summed by name over all attempts. Energy is None when no span of that name has a reading."""
    phases = [event for event in events if isinstance(event, PhaseEvent)]
    return [_span(name, [e for e in phases if e.name == name]) for name in dict.fromkeys(e.name for e in phases)]


def _span(name: str, events: Sequence[PhaseEvent]) -> Span:
    energies = [event.energy_kwh for event in events if event.energy_kwh is not None]
    return Span(
        phase=name,
        seconds=sum(map(span, events)),
        energy_kwh=sum(energies) if len(energies) == len(events) else None,
        measured=all(event.measured is True for event in events) if energies else None,
    )


def actual_row(found: Sequence[Attempt], carbon: CarbonPlan | None, estimate: Estimate | None) -> Row:
    """What the run used, all attempts counted, its scopes yet to come. A number that rests on a missing one is None."""
    held = exact_sum([a.seconds * a.world_size if a.world_size else None for a in found])
    hours = None if held is None else held / HOUR
    energy = exact_sum([a.energy_kwh for a in found])
    return Row(
        basis=_basis(coverage(found), energy),
        device_hours=hours,
        power_watts=energy * WATTS_PER_KILOWATT / hours if energy is not None and hours else None,
        energy_kwh=energy,
        carbon_tonnes=emitted(energy, carbon),
        **(_by_rate(estimate, hours, energy) if estimate else {}),
    )


def _by_rate(estimate: Estimate, hours: float | None, energy: float | None) -> dict[str, Any]:
    """Money by the estimate's price of an hour, water by its rate of a kWh."""
    return {
        "cost": _in_proportion(estimate.cost, estimate.device_hours, hours),
        "currency": estimate.currency if estimate.cost else "",
        "water_litres": _in_proportion(estimate.water_litres, estimate.energy_kwh, energy),
    }


def _in_proportion(planned: Range | None, base: Range | None, actual: float | None) -> float | None:
    return planned.value / base.value * actual if planned and base and base.value and actual is not None else None


def emitted(energy: float | None, carbon: CarbonPlan | None) -> float | None:
    """Tonnes for an energy, by the plan's factors; None when either is unknown."""
    if energy is None or carbon is None:
        return None
    return carbon_tonnes(energy, carbon.pue, carbon.intensity_kg_per_kwh)


def _basis(share: float | None, energy: float | None) -> Basis:
    if energy is None:
        return "unknown"
    if not share:
        return "estimated"
    return "measured" if share >= WHOLE else "partly measured"


def planned_row(estimate: Estimate) -> Row:
    """What the compiler predicted."""
    energy = estimate.energy_kwh.value if estimate.energy_kwh else None
    return Row(
        basis="planned",
        device_hours=estimate.device_hours.value if estimate.device_hours else None,
        power_watts=estimate.power_watts.value if estimate.power_watts else None,
        energy_kwh=energy,
        carbon_tonnes=None if energy is None else carbon_tonnes(energy, estimate.pue, estimate.intensity_kg_per_kwh),
        counted_tonnes=estimate.carbon_tonnes.value if estimate.carbon_tonnes else None,
        carbon_range=estimate.carbon_tonnes,
        cost=estimate.cost.value if estimate.cost else None,
        currency=estimate.currency if estimate.cost else "",
        water_litres=estimate.water_litres.value if estimate.water_litres else None,
    )


def published_row(estimate: Estimate) -> Row | None:
    """What a paper printed of this very run, when the spec says so."""
    if estimate.published_device_hours is None:
        return None
    watts = estimate.published_power_watts
    return Row(
        basis="published",
        device_hours=estimate.published_device_hours,
        power_watts=watts,
        energy_kwh=estimate.published_device_hours * watts / WATTS_PER_KILOWATT if watts else None,
        carbon_tonnes=estimate.published_carbon_tonnes,
        counted_tonnes=estimate.published_carbon_tonnes,  # a paper counts what it prints
    )


def total_row(rows: Sequence[Row]) -> Row:
    """The sum of unrounded rows; a sum with an unknown part is unknown. Power is energy over hours."""
    hours, energy, tonnes, counted, cost, water = (exact_sum([getattr(row, key) for row in rows]) for key in SUMMED)
    currencies = {row.currency for row in rows}
    bases: set[Basis] = {row.basis for row in rows}
    mixed: Basis = "unknown" if "unknown" in bases else "partly measured"
    return Row(
        basis=rows[0].basis if len(bases) == 1 else mixed,
        device_hours=hours,
        power_watts=energy * WATTS_PER_KILOWATT / hours if energy is not None and hours else None,
        energy_kwh=energy,
        carbon_tonnes=tonnes,
        counted_tonnes=counted,
        cost=cost if len(currencies) == 1 else None,
        currency=currencies.pop() if len(currencies) == 1 else "",
        water_litres=water,
    )
