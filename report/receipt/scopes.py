"""The numbers beyond the paper's row: scopes, what is counted of them, money, water, and joules device by device."""

from __future__ import annotations

import re

from ...spec.emissions import KG_PER_TONNE
from ...spec.events import PREPARATION
from ...spec.units import JOULES_PER_KWH
from ..values import Run, Scope
from .formulas import carbon_expression, sum_expression
from .ledger import Ledger
from .styles import Styles

COOLED = ("host", "network")
SITE = ("devices", "cooling and distribution")


def word(text: str) -> str:
    """A scope's name as a part of the name of a number."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text)


def scope_numbers(ledger: Ledger, run: str, found: Run, styles: Styles) -> None:
    """What a run counts, scope by scope, and all of it: the headline."""
    row = f"{run}.actual"
    made: list[str] = []
    for scope in sorted(found.scopes, key=lambda scope: scope.name == SITE[1]):  # cooling rests on what is cooled
        name, expression = f"{row}.{word(scope.name)}", _expression(ledger, run, found, scope)
        made.append(ledger.compute(name, expression, "tCO2eq", styles.mass))
    ledger.compute(f"{row}.counted_tonnes", sum_expression(made), "tCO2eq", styles.mass)


def _expression(ledger: Ledger, run: str, found: Run, scope: Scope) -> str:
    row = f"{run}.actual"
    if scope.name == SITE[0]:
        return f"{row}.energy_kwh * {run}.intensity / {KG_PER_TONNE}"
    if scope.name == SITE[1]:
        cooled = " + ".join(f"{row}.{name}" for name in COOLED if name in {line.name for line in found.scopes})
        return f"({row}.devices{f' + ({cooled})' if cooled else ''}) * ({run}.pue - 1)"
    phase = scope.name.removeprefix("making the ")
    if phase in PREPARATION:
        return _preparation(ledger, run, found, phase)
    return f"{run}.planned.{word(scope.name)} * ({row}.device_hours / {run}.planned.device_hours)"


def _preparation(ledger: Ledger, run: str, found: Run, phase: str) -> str:
    used = next((span.energy_kwh for span in found.spans if span.phase == phase), None)
    kwh = ledger.take(f"{run}.{phase}.energy_kwh", used, "kWh", f"events.jsonl: phase {phase}")
    return carbon_expression(kwh, run)


def money_and_water(ledger: Ledger, run: str, found: Run) -> None:
    """Money at the estimate's price of an hour, water at its rate of a kWh; nothing where the spec gives none."""
    planned, row = found.planned, f"{run}.actual"
    if planned is None:
        return
    for key, base, value, unit in (
        ("cost", "device_hours", planned.cost, planned.currency),
        ("water_litres", "energy_kwh", planned.water_litres, "L"),
    ):
        if value is not None:
            given = ledger.take(f"{run}.planned.{key}", value, unit, "estimate.json")
            ledger.compute(f"{row}.{key}", f"{given} / {run}.planned.{base} * {row}.{base}", unit)


def device_numbers(ledger: Ledger, run: str, found: Run) -> None:
    """Joules and coverage of each device, and how much of the run's energy they are; nothing where none was logged."""
    if not found.device_uses:
        return
    seconds = [f"{name}.seconds" for name in attempt_names(run, found)]
    whole = ledger.compute(f"{run}.seconds", sum_expression(seconds), "s")
    unseen = dict.fromkeys((*(use.device for use in found.device_uses), "all"), 0.0)
    for gap in found.gaps:
        unseen[gap.device] = unseen.get(gap.device, 0.0) + gap.seconds
    joules: list[str] = []
    for index, use in enumerate(found.device_uses, 1):
        name, source = f"{run}.device{index}", f"events.jsonl: rank {use.rank}, {use.node}, {use.device}"
        joules.append(ledger.take(f"{name}.joules", use.joules, "J", source))
        gap = unseen["all"] + (unseen[use.device] if use.device != "all" else 0.0)
        ledger.take(f"{name}.gap_seconds", gap, "s", "events.jsonl: gaps of this device")
        ledger.compute(f"{name}.covered", f"({whole} - {name}.gap_seconds) / {whole}", "")
    total = ledger.compute(f"{run}.devices_energy_kwh", f"{sum_expression(joules)} / {JOULES_PER_KWH:.0f}", "kWh")
    ledger.compute(f"{run}.devices_share_of_energy", f"{total} / {run}.actual.energy_kwh", "")


def attempt_names(run: str, found: Run) -> list[str]:
    """By position: a log of somebody else's may give two attempts one number."""
    return [f"{run}.attempt{position}" for position in range(1, len(found.attempts) + 1)]
