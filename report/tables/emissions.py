"""Report stage 7: a `Report` in, the emissions table in the form of Table 2 of the Llama 2 paper out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...spec.display_units import ENERGIES, MASSES
from ...spec.number_text import Style, style, with_unit
from ..document import MOST_SECTIONS
from ..values import Report, Row
from .cells import Cell, Table, styled, text


def emissions(report: Report) -> Table:
    """The emissions table in the form of Table 2: model, time, power, carbon; planned beside actual; the total.

    The last column is all that is counted; where that is more than the paper's scope, devices and cooling stand before.
    """
    rows = [(run, row) for run in report.runs for row in (run.published, run.planned, run.actual) if row is not None]
    totals = [("planned", report.planned_total), ("actual", report.actual_total)] if len(report.runs) > 1 else []
    return emissions_table(
        [(run.label, row) for run, row in rows],
        [(name, row) for name, row in totals if row is not None],
        (*_ranges(report), report.rounding, *_labels_note(report)),
    )


def _ranges(report: Report) -> tuple[str, ...]:
    """The bounds of each plan, and what they hang on."""
    found = [(run.label, run.planned.carbon_range) for run in report.runs if run.planned and run.planned.carbon_range]
    if len(found) > MOST_SECTIONS:
        return ("The range of each plan is in tables/emissions.csv.",)
    return tuple(
        f"{label}: planned with a range of {with_unit(bounds.low, MASSES)} to {with_unit(bounds.high, MASSES)}"
        + (f" ({bounds.because})." if bounds.because else ".")
        for label, bounds in found
    )


def _labels_note(report: Report) -> tuple[str, ...]:
    bases = {run.actual.basis for run in report.runs}
    notes = {
        "estimated": "estimated: energy = logged time x assumed power (no meter).",
        "partly measured": "partly measured: some device time had no reading; see the coverage.",
        "unknown": "unknown: no energy reading exists; it is not zero.",
    }
    return tuple(note for basis, note in notes.items() if basis in bases)


def _counted(row: Row, mass: Style) -> Cell:
    """What is counted; its bounds are for CSV, in print the notes have them."""
    bounds = row.carbon_range
    shown = styled(row.counted_tonnes, mass)
    return replace(shown, low=bounds.low, high=bounds.high) if bounds else shown


def row_styles(rows: Sequence[Row]) -> tuple[Style, Style, Style, Style]:
    """How the columns of hours, power, energy and carbon print: digits are chosen once a column."""
    return (
        style([row.device_hours for row in rows], ((1.0, ""),)),
        style([row.power_watts for row in rows], ((1.0, "W"),), 1),
        style([row.energy_kwh for row in rows], ENERGIES),
        style([tonnes for row in rows for tonnes in (row.carbon_tonnes, row.counted_tonnes)], MASSES),
    )


def report_rows(report: Report) -> list[tuple[str, Row]]:
    """Every row of the table, totals last, each with its name."""
    rows = [
        (run.label, row) for run in report.runs for row in (run.published, run.planned, run.actual) if row is not None
    ]
    totals = (report.planned_total, report.actual_total) if len(report.runs) > 1 else ()
    return [*rows, *(("Total", row) for row in totals if row is not None)]


def emissions_table(
    rows: Sequence[tuple[str, Row]], totals: Sequence[tuple[str, Row]], notes: tuple[str, ...]
) -> Table:
    """Rows of the Table 2 form, each with a name; digits are chosen once a column, from rows and totals."""
    every = [row for _, row in (*rows, *totals)]
    hours, watts, energy, mass = row_styles(every)
    wider = any(row.counted_tonnes != row.carbon_tonnes for row in every)

    def line(name: str, row: Row, basis: str) -> tuple[Cell, ...]:
        return (
            text(name),
            text(basis),
            styled(row.device_hours, hours),
            styled(row.power_watts, watts),
            styled(row.energy_kwh, energy),
            *((styled(row.carbon_tonnes, mass),) if wider else ()),
            _counted(row, mass),
        )

    return Table(
        key="emissions",
        title="Carbon emitted",
        headings=(
            "Model",
            "Basis",
            "Time (device hours)",
            "Power (W)",
            f"Energy ({energy.unit})",
            *((f"Devices and cooling ({mass.unit})", f"Carbon, all counted ({mass.unit})") if wider else ()),
            *(() if wider else (f"Carbon ({mass.unit})",)),
        ),
        rows=tuple(line(name, row, row.basis) for name, row in rows),
        numeric=frozenset(range(2, 7 if wider else 6)),
        totals=tuple(line("Total", row, basis) for basis, row in totals),
        notes=notes,
    )
