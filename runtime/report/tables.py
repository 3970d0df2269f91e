"""Report stage 7: a `Report` in, `Table` values out; terminal, Markdown, CSV, LaTeX and HTML only lay them out.

A cell keeps its text and its unrounded value, so that a page can sort and a CSV file can be computed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .numbers import ENERGIES, MASSES, TIMES, Style, percent, signed_percent, style, with_unit
from .values import Report, Row, Run


@dataclass(frozen=True, slots=True)
class Cell:
    """What is printed, and the unrounded number behind it (None for text and for unknown)."""

    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title, headings (numbers stand right), rows, totals under a rule, and notes in sentences."""

    key: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int]
    totals: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = field(default=())


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
        (report.rounding, *_labels_note(report)),
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


def difference(run: Run) -> Table | None:
    """Why carbon differs from the plan, by parts that add up. None when there is nothing to compare."""
    if not run.changes or run.planned is None or run.planned.carbon_tonnes is None or run.actual.carbon_tonnes is None:
        return None
    mass = style([max(abs(change.tonnes) for change in run.changes)], MASSES)
    ratio = run.actual.carbon_tonnes / run.planned.carbon_tonnes
    gap = run.actual.carbon_tonnes - run.planned.carbon_tonnes
    rows = tuple(
        (
            text(c.cause),
            Cell(f"{c.planned:,.5g} {c.unit}".strip(), c.planned),
            Cell(f"{c.actual:,.5g} {c.unit}".strip(), c.actual),
            Cell(signed_percent(c.ratio), c.ratio),
            Cell(_signed(c.tonnes, mass), c.tonnes),
        )
        for c in run.changes
    )
    return Table(
        key="difference",
        title=f"Planned and actual: {run.label}",
        headings=("Cause", "Planned", "Actual", "Change", f"Part ({mass.unit})"),
        rows=rows,
        numeric=frozenset({1, 2, 3, 4}),
        totals=(
            (text("Carbon"), text(""), text(""), Cell(signed_percent(ratio), ratio), Cell(_signed(gap, mass), gap)),
        ),
        notes=("Parts by the logarithmic-mean decomposition (LMDI, Ang 2005): they add up with no remainder.",),
    )


def _signed(value: float, column: Style) -> str:
    return f"{round(value / column.scale, column.digits) + 0.0:+,.{column.digits}f}"  # + 0.0: no negative zero


def attempts(run: Run) -> Table:
    """Every start of the run, the lost work among it."""
    energy = style([a.energy_kwh for a in run.attempts], ENERGIES)
    rows = tuple(
        (
            Cell(str(a.number), a.number),
            Cell(f"{a.from_step} to {a.to_step}", a.to_step),
            Cell(with_unit(a.seconds, TIMES), a.seconds),
            styled(a.energy_kwh, energy),
            text(f"{a.meter} ({'measured' if a.measured else 'estimated'})"),
            Cell(percent(a.measured_share), a.measured_share),
            Cell(str(a.lost_steps), a.lost_steps),
            styled(a.lost_energy_kwh, energy),
            text(a.ended),
        )
        for a in run.attempts
    )
    headings = (
        "Attempt",
        "Steps",
        "Time",
        f"Energy ({energy.unit})",
        "Meter",
        "Covered",
        "Steps lost",
        f"Lost ({energy.unit})",
        "Ended",
    )
    return Table(
        key="attempts",
        title=f"Attempts: {run.label}",
        headings=headings,
        rows=rows,
        numeric=frozenset({0, 2, 3, 5, 6, 7}),
        notes=("Work that a later attempt repeated is lost, but its time and energy count.",),
    )


def scope_lines(run: Run) -> Table | None:
    """What is counted, line by line, with bounds; the first two lines are the paper's scope."""
    if not run.scopes:
        return None
    values = [v for s in run.scopes for v in (s.carbon_tonnes, s.low, s.high)]
    mass = style(values, MASSES)
    rows = tuple(
        (
            text(s.name),
            text(s.basis),
            styled(s.carbon_tonnes, mass),
            Cell(UNBOUNDED if s.low is None or s.high is None else f"{mass(s.low)} to {mass(s.high)}", s.low),
        )
        for s in run.scopes
    )
    known = [s.carbon_tonnes for s in run.scopes if s.carbon_tonnes is not None]
    total = sum(known) if len(known) == len(run.scopes) else None
    return Table(
        key="scopes",
        title=f"What is counted: {run.label}",
        headings=("Scope", "Basis", f"Carbon ({mass.unit})", "Range"),
        rows=rows,
        numeric=frozenset({2, 3}),
        totals=((text("All lines"), text(""), styled(total, mass), text("")),),
        notes=tuple(f"{s.name}: {s.source}" for s in run.scopes),
    )


UNBOUNDED = "not given"


def time_and_energy(run: Run) -> Table | None:
    """Where time and energy went, by phase."""
    if not run.spans:
        return None
    energy = style([s.energy_kwh for s in run.spans], ENERGIES)
    rows = tuple(
        (
            text(s.phase),
            Cell(with_unit(s.seconds, TIMES), s.seconds),
            styled(s.energy_kwh, energy),
            text({True: "measured", False: "estimated", None: "unknown"}[s.measured]),
        )
        for s in run.spans
    )
    return Table(
        key="phases",
        title=f"Where time and energy went: {run.label}",
        headings=("Phase", "Time", f"Energy ({energy.unit})", "Basis"),
        rows=rows,
        numeric=frozenset({1, 2}),
    )


def trouble(run: Run) -> Table | None:
    """Gaps in the readings, and faults with what was done about them."""
    gaps = [
        (text(g.attempt), text("meter gap"), text(g.device), text(g.reason), text(with_unit(g.seconds, TIMES)))
        for g in run.gaps
    ]
    faults = [
        (
            text(f.attempt),
            text("fault" if f.step is None else f"fault at step {f.step:,}"),
            text("all ranks" if f.rank is None else f"rank {f.rank}"),
            text(f.what),
            text(f.action),
        )
        for f in run.faults
    ]
    if not gaps and not faults:
        return None
    return Table(
        key="trouble",
        title=f"Gaps and faults: {run.label}",
        headings=("Attempt", "What", "Where", "Reason", "Length or action"),
        rows=(*gaps, *faults),
        numeric=frozenset(),
    )


def factors(run: Run) -> Table | None:
    """Every factor with its source."""
    if not run.factors:
        return None
    return Table(
        key="factors",
        title=f"Factors: {run.label}",
        headings=("Factor", "Value", "Source"),
        rows=tuple((text(f.name), text(f.value), text(f.source)) for f in run.factors),
        numeric=frozenset(),
    )


def run_tables(run: Run) -> list[Table]:
    """All tables of one run, in reading order."""
    found = (
        difference(run),
        attempts(run) if run.attempts else None,
        scope_lines(run),
        time_and_energy(run),
        trouble(run),
        factors(run),
    )
    return [table for table in found if table is not None]
