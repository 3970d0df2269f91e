"""Report stage 7: a `Report` in, `Table` values out; terminal, Markdown, CSV, LaTeX and HTML only lay them out.

A cell keeps its text and its unrounded value, so that a page can sort and a CSV file can be computed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...spec.display_units import ENERGIES, MASSES
from ...spec.number_text import Style, style, with_unit
from ..values import Report, Row


@dataclass(frozen=True, slots=True)
class Cell:
    """What is printed, and the unrounded number behind it (None for text and for unknown)."""

    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title, headings (numbers stand right), rows, totals under a rule, and notes in sentences.

    `spare` are headings that a narrow terminal leaves out, the first one first.
    """

    key: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int]
    totals: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = field(default=())
    spare: tuple[str, ...] = ()


def narrower(table: Table) -> Table:
    """The table without its first spare column."""
    gone, *spare = table.spare
    kept = [index for index, heading in enumerate(table.headings) if heading != gone]
    rows, totals = (tuple(tuple(row[index] for index in kept) for row in some) for some in (table.rows, table.totals))
    return replace(
        table,
        headings=tuple(table.headings[index] for index in kept),
        rows=rows,
        totals=totals,
        numeric=frozenset(new for new, old in enumerate(kept) if old in table.numeric),
        spare=tuple(spare),
    )


def text(value: object) -> Cell:
    """A cell of words."""
    return Cell(str(value))


def styled(value: float | None, column: Style) -> Cell:
    """A cell of a number in its column's style."""
    return Cell(column(value), value)


def emissions(report: Report) -> Table:
    """The emissions table in the form of Table 2: model, time, power, carbon; planned beside actual; the total."""
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
    return tuple(
        f"{label}: planned with a range of {with_unit(bounds.low, MASSES)} to {with_unit(bounds.high, MASSES)}"
        + (f" ({bounds.because})." if bounds.because else ".")
        for label, bounds in found
    )


def _labels_note(report: Report) -> tuple[str, ...]:
    bases = {run.actual.basis for run in report.runs}
    notes = {
        "estimated": "estimated: time from the log, power assumed, not read from an instrument.",
        "partly measured": "partly measured: some device time had no reading; see the coverage.",
        "unknown": "unknown: no energy reading exists; it is not zero.",
    }
    return tuple(note for basis, note in notes.items() if basis in bases)


def emissions_table(
    rows: Sequence[tuple[str, Row]], totals: Sequence[tuple[str, Row]], notes: tuple[str, ...]
) -> Table:
    """Rows of the Table 2 form, each with a name; digits are chosen once a column, from rows and totals."""
    everything = [row for _, row in (*rows, *totals)]
    hours = style([row.device_hours for row in everything], ((1.0, ""),))
    watts = style([row.power_watts for row in everything], ((1.0, "W"),), 1)
    energy = style([row.energy_kwh for row in everything], ENERGIES)
    mass = style([row.carbon_tonnes for row in everything], MASSES)

    def line(name: str, row: Row, basis: str) -> tuple[Cell, ...]:
        return (
            text(name),
            text(basis),
            styled(row.device_hours, hours),
            styled(row.power_watts, watts),
            styled(row.energy_kwh, energy),
            styled(row.carbon_tonnes, mass),
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
            f"Carbon ({mass.unit})",
        ),
        rows=tuple(line(name, row, row.basis) for name, row in rows),
        numeric=frozenset({2, 3, 4, 5}),
        totals=tuple(line("Total", row, basis) for basis, row in totals),
        notes=notes,
    )
