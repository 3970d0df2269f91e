"""Runs and specs side by side: planned or measured, under other power caps, on other grids.

Estimates come in as values, since the runtime knows no compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...spec.display_units import ENERGIES, LITRES, MASSES, PLOTTED_ENERGIES, TIMES, base_unit, fitting, money
from ...spec.emissions import Intensity, carbon_tonnes
from ...spec.estimate import Estimate, Part, Range
from ...spec.number_text import UNKNOWN, Style, significant
from ...spec.units import DAY, HOUR
from ..accounting.emissions_row import planned_row
from ..document import Bar, Document, Panel, generator, series_of, title_of
from ..values import Row, Run, Scope
from .cells import Cell, Table, change_cell, quantity_cell, significant_cell, styled, table, text

WATTS = Style(1.0, "W", 0)
SAME = "all that is counted"
OTHER = "devices and cooling, since they do not all count the same scopes"
Units = Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Contender:
    """One thing to compare: a run as it was, or a spec as it is predicted; ranges of what is known have no width.

    `seconds` is time on the wall, `counted` the carbon of all scopes that are counted, in tonnes.
    """

    label: str
    machine: str
    power_cap_watts: float | None
    row: Row
    pue: float | None
    seconds: Range | None
    energy: Range | None
    counted: Range | None
    cost: Range | None
    water: Range | None
    scopes: tuple[Scope | Part, ...] = ()


def of_estimate(estimate: Estimate, label: str = "") -> Contender:
    """A spec, as predicted."""
    days = estimate.days
    return Contender(
        label or estimate.name,
        f"{estimate.devices} x {estimate.device}, {estimate.cluster}",
        estimate.power_cap_watts,
        planned_row(estimate),
        estimate.pue,
        seconds=Range(value=days.value * DAY, low=days.low * DAY, high=days.high * DAY) if days else None,
        energy=estimate.energy_kwh,
        counted=estimate.carbon_tonnes,
        cost=estimate.cost,
        water=estimate.water_litres,
        scopes=estimate.scope_parts,
    )


def of_run(run: Run) -> Contender:
    """A run, as it was. The cap and the cluster are the plan's."""
    row, hours = run.actual, run.actual.device_hours
    return Contender(
        run.label,
        f"{run.devices if run.devices is not None else 'unknown'} x {run.device}, {run.cluster}",
        run.power_cap_watts,
        row,
        run.carbon.pue if run.carbon else None,
        seconds=_exact(hours / run.devices * HOUR if hours is not None and run.devices else None),
        energy=_exact(row.energy_kwh),
        counted=_counted(run),
        cost=_exact(row.cost),
        water=_exact(row.water_litres),
        scopes=run.scopes,
    )


def _exact(value: float | None) -> Range | None:
    return None if value is None else Range(value=value, low=value, high=value)


def _counted(run: Run) -> Range | None:
    """All scopes; those that nobody metered have the estimate's bounds."""
    if run.actual.counted_tonnes is None:
        return None
    low, high = (sum(getattr(s, key) or s.carbon_tonnes or 0.0 for s in run.scopes) for key in ("low", "high"))
    return Range(value=run.actual.counted_tonnes, low=low, high=high)


def side_by_side(contenders: Sequence[Contender]) -> Table:
    """All of them in one table, each number in a unit of its own; the last columns are against the first."""
    first = contenders[0]
    columns = [column for column in COLUMNS if column in ALWAYS or any(COLUMNS[column](c).text for c in contenders)]
    same = len({_wider(item) for item in contenders}) == 1
    carbon = _counted_tonnes if same else _paper_tonnes
    rows = tuple(
        (
            *(COLUMNS[column](item) for column in columns),
            change_cell(_value(item.seconds), _value(first.seconds)),
            change_cell(carbon(item), carbon(first)),
        )
        for item in contenders
    )
    return Table(
        key="compare",
        title="Side by side",
        headings=(*columns, "Time, change", "Carbon, change"),
        rows=rows,
        numeric=frozenset(range(3, len(columns) + 2)),
        notes=(
            f"Changes are against {first.label}, in time and in the carbon of {SAME if same else OTHER}.",
            "In parentheses: the range of a prediction. Two that overlap count as equal.",
        ),
        spare=tuple(name for name in ("Machine", "Device hours", "Water", "Power (W)") if name in columns),
    )


def _wider(item: Contender) -> frozenset[str]:
    """The scopes beyond devices, cooling and preparation that one counts."""
    return frozenset(part.name for part in item.scopes) & {"host", "network", "embodied"}


def _counted_tonnes(item: Contender) -> float | None:
    return _value(item.counted)


def _paper_tonnes(item: Contender) -> float | None:
    return item.row.carbon_tonnes


def _ranged(value: Range | None, units: Units) -> Cell:
    """A number with the unit that fits it, and its bounds in the same unit."""
    if value is None:
        return text(UNKNOWN)
    if value.low == value.high:
        return quantity_cell(value.value, units)
    scale, unit = fitting(value.value, units)
    shown = [significant(number / scale, 3) for number in (value.value, value.low, value.high)]
    words = f"{shown[0]} ({shown[1]} to {shown[2]}) {unit}"
    return Cell(words, value.value, base_unit(units), value.low, value.high)


def _optional(value: Range | None, units: Units) -> Cell:
    """As `_ranged`; nothing where there is no factor to compute it with."""
    return text("") if value is None else _ranged(value, units)


def _cap_cell(item: Contender) -> Cell:
    return text("none") if item.power_cap_watts is None else styled(item.power_cap_watts, WATTS)


COLUMNS: dict[str, Callable[[Contender], Cell]] = {
    "Name": lambda item: text(item.label),
    "Basis": lambda item: text(item.row.basis),
    "Machine": lambda item: text(item.machine),
    "Cap (W)": _cap_cell,
    "Device hours": lambda item: significant_cell(item.row.device_hours, 4),
    "Time": lambda item: _ranged(item.seconds, TIMES),
    "Power (W)": lambda item: styled(item.row.power_watts, WATTS),
    "Energy": lambda item: _ranged(item.energy, ENERGIES),
    "Devices and cooling": lambda item: quantity_cell(item.row.carbon_tonnes, MASSES),
    "Carbon, all counted": lambda item: _ranged(item.counted, MASSES),
    "Money": lambda item: _optional(item.cost, money(item.row.currency)),
    "Water": lambda item: _optional(item.water, LITRES),
}
ALWAYS = frozenset(COLUMNS) - {"Money", "Water"}


def scope_comparison(contenders: Sequence[Contender]) -> Table | None:
    """What each counts, scope by scope; None where nobody counts any."""
    rows = [(item, *_scope(part)) for item in contenders for part in item.scopes]
    if not rows:
        return None
    return table(
        "scopes",
        "Carbon by scope",
        ("Run", "Scope", "Carbon"),
        [(text(item.label), text(name), tonnes) for item, name, tonnes in rows],
    )


def _scope(part: Scope | Part) -> tuple[str, Cell]:
    value = part.carbon_tonnes if isinstance(part, Scope) else part.value
    if value is None or part.low is None or part.high is None:
        return part.name, quantity_cell(value, MASSES)
    return part.name, _ranged(Range(value=value, low=part.low, high=part.high), MASSES)


def _value(found: Range | None) -> float | None:
    return found.value if found else None


def panels(contenders: Sequence[Contender]) -> tuple[Panel, ...]:
    """Time, energy, carbon, money and water of each as values with ranges, those of which anything is known."""
    currencies = {item.row.currency for item in contenders if item.cost}
    quantities: list[tuple[str, Units, Callable[[Contender], Range | None]]] = [
        ("Time", TIMES, lambda item: item.seconds),
        ("Energy of devices", PLOTTED_ENERGIES, lambda item: item.energy),
        ("Carbon, all counted", MASSES, lambda item: item.counted),
        *([("Money", money(*currencies), lambda item: item.cost)] if len(currencies) == 1 else []),
        ("Water", LITRES, lambda item: item.water),
    ]
    made = [
        Panel(name, units, tuple(Bar(item.label, item.row.basis, of(item)) for item in contenders))
        for name, units, of in quantities
    ]
    return tuple(panel for panel in made if any(bar.range for bar in panel.bars))


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
                quantity_cell(tonnes, MASSES),
                change_cell(tonnes, item.row.carbon_tonnes),
            )
            for item, place, tonnes in found
        ),
        numeric=frozenset({2, 3, 4}),
        notes=("Same energy, same PUE, other electricity.", *(f"{place.place}: {place.source}" for place in places)),
    )


def compare_document(contenders: Sequence[Contender], tables: Sequence[Table], runs: Sequence[Run]) -> Document:
    """The comparison as a document; curves of the runs among them."""
    return Document(
        kind="Comparison",
        title=title_of([item.label for item in contenders]),
        lede=f"{len(contenders)} side by side, each row labelled planned or measured.",
        tables=(side_by_side(contenders), *tables, *([found] if (found := scope_comparison(contenders)) else [])),
        series=tuple(series_of(run) for run in runs),
        panels=panels(contenders),
        generator=generator(),
    )
