"""A `Report` in, the ledger of its emissions table out: each number with the expression that makes it.

Names are `run1.actual.energy_kwh`: the run in the order of the report, the row, the quantity with its unit.
"""

from __future__ import annotations

from ...spec.emissions import KG_PER_TONNE, WATTS_PER_KILOWATT
from ...spec.facts import facts
from ...spec.plan import CarbonPlan
from ...spec.units import HOUR
from ..tables.emissions import report_rows, row_styles
from ..values import Attempt, Report, Run
from .expression import evaluate
from .formulas import carbon_expression, energy_expression, sum_expression
from .ledger import Ledger
from .scopes import attempt_names, device_numbers, money_and_water, scope_numbers, word
from .styles import Styles

GRAMS_PER_TONNE = 1_000_000
HUGGING_FACE = "total.co2_eq_emissions"  # the hub's metadata of a model card
UNITS = {
    "device_hours": "h",
    "power_watts": "W",
    "energy_kwh": "kWh",
    "carbon_tonnes": "tCO2eq",
    "counted_tonnes": "tCO2eq",
}


def report_ledger(report: Report) -> Ledger:
    """Every number of the table, and those that CodeCarbon's CSV and the model card take over."""
    ledger, styles = Ledger(), Styles(*row_styles([row for _, row in report_rows(report)]))
    for index, run in enumerate(report.runs, 1):
        name = f"run{index}"
        _factors(ledger, name, run)
        _actual(ledger, name, run, styles)
        _planned(ledger, name, run, styles)
        scope_numbers(ledger, name, run, styles)
        money_and_water(ledger, name, run)
        device_numbers(ledger, name, run)
        _published(ledger, name, run, styles)
        _codecarbon(ledger, name, run)
    for kind, row in (("actual", report.actual_total), ("planned", report.planned_total)):
        if row is not None:
            _total(ledger, kind, len(report.runs), styles)
    ledger.compute(HUGGING_FACE, f"total.actual.counted_tonnes * {GRAMS_PER_TONNE}", "gCO2eq")
    return ledger


def _factors(ledger: Ledger, run: str, found: Run) -> None:
    """PUE and intensity: the plan's, or means by energy where attempts ran with others."""
    names = attempt_names(run, found)
    for name, attempt in zip(names, found.attempts, strict=True):
        ledger.take(f"{name}.energy_kwh", attempt.energy_kwh, "kWh", _meter(attempt))
    own = [(name, a.carbon) for name, a in zip(names, found.attempts, strict=True) if a.carbon]
    if len({(carbon.pue, carbon.intensity_kg_per_kwh) for _, carbon in own}) <= 1:
        _factor_inputs(ledger, run, found.carbon)
        return
    kwh, grid, all_in = [], [], []
    for name, carbon in own:
        _factor_inputs(ledger, name, carbon)
        kwh.append(f"{name}.energy_kwh")
        grid.append(f"{name}.energy_kwh * {name}.intensity")
        all_in.append(f"{name}.energy_kwh * {name}.intensity * {name}.pue")
    ledger.compute(f"{run}.intensity", f"{sum_expression(grid)} / {sum_expression(kwh)}", "kgCO2eq/kWh")
    ledger.compute(f"{run}.pue", f"{sum_expression(all_in)} / {sum_expression(grid)}", "")


def _factor_inputs(ledger: Ledger, name: str, carbon: CarbonPlan | None) -> None:
    if carbon is None:
        ledger.take(f"{name}.intensity", None, "kgCO2eq/kWh", "unknown")
        ledger.take(f"{name}.pue", None, "", "unknown")
        return
    source = carbon.intensity_source
    ledger.take(f"{name}.intensity", carbon.intensity_kg_per_kwh, "kgCO2eq/kWh", source, _read(source))
    ledger.take(f"{name}.pue", carbon.pue, "", "the spec (carbon.pue)")


def _read(source: str) -> str | None:
    """When the table that a source names was read, as `spec/facts/grid.yaml` says."""
    known = facts("grid")["sources"].values()
    return next((f"read {table['read']}" for table in known if table["title"] in source), None)


def _meter(attempt: Attempt) -> str:
    kind = "measured" if attempt.measured else "estimated"
    return f"events.jsonl: energy of all devices in attempt {attempt.number}, meter {attempt.meter} ({kind})"


def _actual(ledger: Ledger, run: str, found: Run, styles: Styles) -> None:
    """What the run used, all attempts counted."""
    names = attempt_names(run, found)
    for name, attempt in zip(names, found.attempts, strict=True):
        ledger.take(f"{name}.seconds", attempt.seconds, "s", "events.jsonl: wall clock, start-up to stop")
        ledger.take(f"{name}.devices", attempt.world_size or None, "", "events.jsonl: start, else plan.json")
        share = attempt.measured_share
        ledger.take(f"{name}.measured_share", share, "", "events.jsonl: 1 - device seconds of gaps / device seconds")
    row, held = f"{run}.actual", [f"{name}.seconds * {name}.devices" for name in names]
    covered = [f"{name}.seconds * {name}.devices * {name}.measured_share" for name in names]
    ledger.compute(f"{row}.device_hours", f"{sum_expression(held)} / {HOUR:g}", "h", styles.hours)
    ledger.compute(f"{row}.energy_kwh", sum_expression([f"{name}.energy_kwh" for name in names]), "kWh", styles.energy)
    _power(ledger, row, styles)
    ledger.compute(f"{row}.carbon_tonnes", carbon_expression(f"{row}.energy_kwh", run), "tCO2eq", styles.mass)
    ledger.compute(f"{row}.measured_share", f"{sum_expression(covered)} / {sum_expression(held)}", "")


def _power(ledger: Ledger, row: str, styles: Styles) -> None:
    expression = f"{row}.energy_kwh * {WATTS_PER_KILOWATT} / {row}.device_hours"
    ledger.compute(f"{row}.power_watts", expression, "W", styles.watts)


def _planned(ledger: Ledger, run: str, found: Run, styles: Styles) -> None:
    """What the compiler predicted: energy is hours x power, what is counted the sum of the spec's scopes."""
    if found.planned is None:
        return
    row, planned = f"{run}.planned", found.planned
    for key in ("device_hours", "power_watts"):
        _taken(ledger, f"{row}.{key}", getattr(planned, key), styles)
    energy = energy_expression(f"{row}.device_hours", f"{row}.power_watts")
    _explained(ledger, f"{row}.energy_kwh", energy, planned.energy_kwh, styles)
    parts = [
        ledger.take(f"{row}.{word(s.name)}", s.value, "tCO2eq", s.source) for s in found.planned_scopes
    ]  # as the estimate adds them
    carbon = carbon_expression(f"{row}.energy_kwh", run)
    _explained(ledger, f"{row}.carbon_tonnes", carbon, planned.carbon_tonnes, styles)
    counted = " + ".join(parts) or f"{row}.carbon_tonnes"
    _explained(ledger, f"{row}.counted_tonnes", counted, planned.counted_tonnes, styles)


def _explained(ledger: Ledger, name: str, expression: str, value: float | None, styles: Styles) -> None:
    """A prediction by its expression, or as it stands in an estimate of another version that adds up otherwise."""
    unit = UNITS[name.rpartition(".")[2]]
    if evaluate(expression, ledger.values) == value:
        ledger.compute(name, expression, unit, styles.of(unit))
    else:
        _taken(ledger, name, value, styles)


def _taken(ledger: Ledger, name: str, value: float | None, styles: Styles, source: str = "estimate.json") -> None:
    """A number that is taken over as it is."""
    unit = UNITS[name.rpartition(".")[2]]
    ledger.compute(name, ledger.take(f"{name}.given", value, unit, source), unit, styles.of(unit))


def _published(ledger: Ledger, run: str, found: Run, styles: Styles) -> None:
    """What a paper printed of this very run."""
    if found.published is None:
        return
    row, source = f"{run}.published", "the spec (published)"
    for key in ("device_hours", "power_watts"):
        _taken(ledger, f"{row}.{key}", getattr(found.published, key), styles, source)
    energy = energy_expression(f"{row}.device_hours", f"{row}.power_watts")
    ledger.compute(f"{row}.energy_kwh", energy, "kWh", styles.energy)
    for key in ("carbon_tonnes", "counted_tonnes"):
        _taken(ledger, f"{row}.{key}", getattr(found.published, key), styles, source)


def _codecarbon(ledger: Ledger, run: str, found: Run) -> None:
    """The numbers of CodeCarbon's CSV: kg, kWh with the PUE, watts of all devices."""
    name, row = f"{run}.codecarbon", f"{run}.actual"
    seconds = [f"{attempt}.seconds" for attempt in attempt_names(run, found)]
    ledger.take(f"{run}.devices", found.devices, "", "plan.json: device.count")
    ledger.compute(f"{name}.duration", sum_expression(seconds), "s")
    ledger.compute(f"{name}.emissions", f"{row}.carbon_tonnes * {KG_PER_TONNE}", "kgCO2eq")
    ledger.compute(f"{name}.emissions_rate", f"{name}.emissions / {name}.duration", "kgCO2eq/s")
    ledger.compute(f"{name}.power", f"{row}.power_watts * {run}.devices", "W")
    ledger.compute(f"{name}.energy_consumed", f"{row}.energy_kwh * {run}.pue", "kWh")


def _total(ledger: Ledger, kind: str, runs: int, styles: Styles) -> None:
    """Sums of unrounded rows; power is energy over hours."""
    for key in ("device_hours", "energy_kwh", "carbon_tonnes", "counted_tonnes"):
        rows = [f"run{index}.{kind}.{key}" for index in range(1, runs + 1)]
        ledger.compute(f"total.{kind}.{key}", sum_expression(rows), UNITS[key], styles.of(UNITS[key]))
    _power(ledger, f"total.{kind}", styles)
