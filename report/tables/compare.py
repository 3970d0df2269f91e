"""Runs and specs side by side: planned or measured, under other power caps, on other grids.

Estimates come in as values, since the runtime knows no compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...spec.display_units import ENERGIES, MASSES, TIMES
from ...spec.emissions import Intensity, carbon_tonnes
from ...spec.estimate import Estimate, Range
from ...spec.number_text import Style, signed_percent, significant, style, with_unit
from ...spec.units import DAY, HOUR
from ..accounting.emissions_row import planned_row
from ..document import Document, generator, series_of
from ..values import Row, Run
from .cells import Cell, Table, styled, text

WATTS = Style(1.0, "W", 0)
MOST_NAMED = 3  # in a title


@dataclass(frozen=True, slots=True)
class Contender:
    """One thing to compare: a run as it was, or a spec as it is predicted. `seconds` is time on the wall."""

    label: str
    machine: str
    power_cap_watts: float | None
    seconds: float | None
    row: Row
    pue: float | None


def of_estimate(estimate: Estimate, label: str = "") -> Contender:
    """A spec, as predicted."""
    return Contender(
        label or estimate.name,
        f"{estimate.devices} x {estimate.device}, {estimate.cluster}",
        estimate.power_cap_watts,
        estimate.days.value * DAY if estimate.days else None,
        planned_row(estimate),
        estimate.pue,
    )


def of_run(run: Run) -> Contender:
    """A run, as it was. The cap and the cluster are the plan's."""
    hours = run.actual.device_hours
    return Contender(
        run.label,
        f"{run.devices if run.devices is not None else 'unknown'} x {run.device}, {run.cluster}",
        run.power_cap_watts,
        hours / run.devices * HOUR if hours is not None and run.devices else None,
        run.actual,
        run.carbon.pue if run.carbon else None,
    )


def side_by_side(contenders: Sequence[Contender]) -> Table:
    """All of them in one table, each number in a unit of its own; the last columns are against the first."""
    first = contenders[0]
    return Table(
        key="compare",
        title="Side by side",
        headings=(
            "Name",
            "Basis",
            "Machine",
            "Cap (W)",
            "Device hours",
            "Time",
            "Power (W)",
            "Energy",
            "Carbon",
            "Time, change",
            "Carbon, change",
        ),
        rows=tuple(_side(item, first) for item in contenders),
        numeric=frozenset(range(3, 11)),
        notes=(f"Changes are against {first.label}, in time and in carbon.", *_ranges(contenders)),
    )


def _side(item: Contender, first: Contender) -> tuple[Cell, ...]:
    row = item.row
    return (
        text(item.label),
        text(row.basis),
        text(item.machine),
        text("none") if item.power_cap_watts is None else styled(item.power_cap_watts, WATTS),
        Cell(significant(row.device_hours), row.device_hours),
        Cell(with_unit(item.seconds, TIMES), item.seconds),
        styled(row.power_watts, WATTS),
        Cell(with_unit(row.energy_kwh, ENERGIES), row.energy_kwh),
        Cell(with_unit(row.carbon_tonnes, MASSES), row.carbon_tonnes),
        _against(item.seconds, first.seconds),
        _against(row.carbon_tonnes, first.row.carbon_tonnes),
    )


def _ranges(contenders: Sequence[Contender]) -> tuple[str, ...]:
    """The bounds of predicted carbon, since two predictions closer than their ranges are not told apart."""
    known = [(item.label, item.row.carbon_range) for item in contenders if item.row.carbon_range]
    found = [f"{label} {with_unit(bounds.low, MASSES)} to {with_unit(bounds.high, MASSES)}" for label, bounds in known]
    return (f"Range of predicted carbon: {'; '.join(found)}.",) if found else ()


def _against(value: float | None, first: float | None) -> Cell:
    return Cell(signed_percent(value / first), value / first) if value is not None and first else text("unknown")


def cap_sweep(name: str, estimates: Sequence[Estimate]) -> Table:
    """One spec under several power caps, the least energy marked; changes are against the highest cap."""
    ordered = sorted(estimates, key=lambda item: -(item.power_cap_watts or 0.0))
    first, energies = ordered[0], [_value(item.energy_kwh) for item in ordered]
    energy, mass = style(energies, ENERGIES, 0), style([_value(item.carbon_tonnes) for item in ordered], MASSES)
    least = min((value for value in energies if value is not None), default=None)
    return Table(
        key="caps",
        title=f"Power caps: {name}",
        headings=(
            "Cap (W)",
            "Draw (W)",
            "Days",
            "Time, change",
            f"Energy ({energy.unit})",
            "Energy, change",
            f"Carbon ({mass.unit})",
            "Remark",
        ),
        rows=tuple(_cap(item, first, least, (energy, mass)) for item in ordered),
        numeric=frozenset(range(7)),
        notes=(
            "Predicted. Only the devices' energy is weighed: a longer run also keeps hosts and network busy longer.",
        ),
    )


def _cap(item: Estimate, first: Estimate, least: float | None, columns: tuple[Style, Style]) -> tuple[Cell, ...]:
    used = _value(item.energy_kwh)
    return (
        styled(item.power_cap_watts, WATTS),
        styled(_value(item.power_watts), WATTS),
        styled(_value(item.days), Style()),
        _against(_value(item.days), _value(first.days)),
        styled(used, columns[0]),
        _against(used, _value(first.energy_kwh)),
        styled(_value(item.carbon_tonnes), columns[1]),
        text("least energy" if used is not None and used == least else ""),
    )


def _value(found: Range | None) -> float | None:
    return found.value if found else None


def regions(contenders: Sequence[Contender], places: Sequence[Intensity]) -> Table:
    """What each would have emitted on other grids: its energy and PUE with their intensity."""
    found = [
        (item, place, carbon_tonnes(item.row.energy_kwh, item.pue, place.kg_per_kwh))
        if item.row.energy_kwh is not None and item.pue is not None
        else (item, place, None)
        for item in contenders
        for place in places
    ]
    return Table(
        key="regions",
        title="Carbon on other grids",
        headings=("Name", "Region", "Intensity (kg/kWh)", "Carbon", "Change"),
        rows=tuple(
            (
                text(item.label),
                text(place.place),
                Cell(f"{place.kg_per_kwh:.3f}", place.kg_per_kwh),
                Cell(with_unit(tonnes, MASSES), tonnes),
                _against(tonnes, item.row.carbon_tonnes),
            )
            for item, place, tonnes in found
        ),
        numeric=frozenset({2, 3, 4}),
        notes=("Same energy, same PUE, other electricity.", *(f"{place.place}: {place.source}" for place in places)),
    )


def _title(labels: Sequence[str]) -> str:
    """All names, or where they are many the first and how many others."""
    if len(labels) <= MOST_NAMED:
        return ", ".join(labels)
    return f"{labels[0]} and {len(labels) - 1} others"


def compare_document(contenders: Sequence[Contender], tables: Sequence[Table], runs: Sequence[Run]) -> Document:
    """The comparison as a document; curves of the runs among them."""
    return Document(
        kind="Comparison",
        title=_title([item.label for item in contenders]),
        lede=f"{len(contenders)} side by side, each row labelled planned or measured.",
        tables=(side_by_side(contenders), *tables),
        series=tuple(series_of(run) for run in runs),
        generator=generator(),
    )
