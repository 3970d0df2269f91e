"""Report stage 7b: one run in, the tables behind its row out: difference, hours, attempts, scopes, phases, trouble."""

from __future__ import annotations

from dataclasses import replace

from ...spec.display_units import ENERGIES, MASSES, TIMES
from ...spec.number_text import Style, percent, signed_percent, style, with_unit
from ...spec.plan import CarbonPlan
from ..values import Run
from .cells import Cell, Table, bounded_cell, quantity_cell, styled, table, text
from .devices import devices_table
from .limits import limits_table
from .lineage import lineage


def difference(run: Run) -> Table | None:
    """Why carbon differs from the plan, by parts that add up. None when there is nothing to compare."""
    if not run.changes or run.planned is None or run.planned.carbon_tonnes is None or run.actual.carbon_tonnes is None:
        return None
    mass = style([max(abs(change.tonnes) for change in run.changes)], MASSES)
    ratio = run.actual.carbon_tonnes / run.planned.carbon_tonnes
    gap = run.actual.carbon_tonnes - run.planned.carbon_tonnes
    rows = tuple(
        (
            text(f"{c.cause} ({c.unit})" if c.unit else c.cause),
            Cell(f"{c.planned:,.5g}", c.planned),
            Cell(f"{c.actual:,.5g}", c.actual),
            Cell(signed_percent(c.ratio), c.ratio),
            _signed(c.tonnes, mass),
        )
        for c in run.changes
    )
    return Table(
        key="difference",
        title="Planned and actual",
        of=run.label,
        headings=("Cause", "Planned", "Actual", "Change", f"Part ({mass.unit})"),
        rows=rows,
        numeric=frozenset({1, 2, 3, 4}),
        totals=((text("Carbon"), text(""), text(""), Cell(signed_percent(ratio), ratio), _signed(gap, mass)),),
        notes=("Parts by the logarithmic-mean decomposition (LMDI, Ang 2005): they add up with no remainder.",),
    )


def hours(run: Run) -> Table | None:
    """Device hours by activity, beside the plan's."""
    if not run.hours:
        return None
    column = style([part.actual for part in run.hours if not part.of_which], ((1.0, ""),))
    rows = tuple(
        (
            text(f"of which {part.part}" if part.of_which else part.part),
            text("") if part.of_which else styled(part.planned, column),
            styled(part.actual, column),
            text("") if part.planned is None else _signed(part.actual - part.planned, column),
        )
        for part in run.hours
    )
    known = [part.planned for part in run.hours if part.planned is not None]
    planned, actual = sum(known) if known else None, sum(part.actual for part in run.hours if not part.of_which)
    change = text("") if planned is None else _signed(actual - planned, column)
    return Table(
        key="hours",
        title="Device hours by activity",
        of=run.label,
        headings=("Part", "Planned (h)", "Actual (h)", "Difference (h)"),
        rows=rows,
        numeric=frozenset({1, 2, 3}),
        totals=((text("Device hours"), styled(planned, column), styled(actual, column), change),),
        notes=(
            "Planned: steps x predicted step time; everything else is what the estimate left for failures and saves.",
        ),
    )


def _signed(value: float, column: Style) -> Cell:
    shown = f"{round(value / column.scale, column.digits) + 0.0:+,.{column.digits}f}"  # + 0.0: no negative zero
    return Cell(shown, value, column.base)


def attempts(run: Run) -> Table:
    """Every start of the run, the lost work among it."""
    energy = style([a.energy_kwh for a in run.attempts], ENERGIES)
    rows = tuple(
        (
            Cell(str(a.number), a.number),
            Cell(f"{a.from_step} to {a.to_step}", a.to_step),
            quantity_cell(a.seconds, TIMES),
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
        title="Attempts",
        of=run.label,
        headings=headings,
        rows=rows,
        numeric=frozenset({0, 2, 3, 5, 6, 7}),
        notes=("Work that a later attempt repeated is lost, but its time and energy count.",),
    )


def source_lines(run: Run) -> Table | None:
    """The sources of the corpus, and how often each is seen."""
    if not run.sources:
        return None
    rows = tuple(
        (
            text(source.path),
            Cell(f"{source.documents:,}", source.documents),
            Cell(f"{source.tokens:,}", source.tokens),
            Cell(f"{source.held_out_tokens:,}", source.held_out_tokens),
            Cell(percent(source.share), source.share),
            Cell(f"{source.epochs:,.3g}", source.epochs),
            Cell(f"{source.skipped:,}", source.skipped),
            Cell(f"{source.duplicates:,}", source.duplicates),
        )
        for source in run.sources
    )
    return Table(
        key="sources",
        title="Training text",
        of=run.label,
        headings=("Source", "Documents", "Tokens", "Held out", "Share", "Epochs", "Skipped", "Duplicates"),
        rows=rows,
        numeric=frozenset({1, 2, 3, 4, 5, 6, 7}),
        notes=("Epochs: how often a source's text is seen when the planned tokens are trained on.",),
    )


def scope_lines(run: Run) -> Table | None:
    """What is counted, line by line, with bounds; the first two lines are the paper's scope."""
    if not run.scopes:
        return None
    values = [v for s in run.scopes for v in (s.carbon_tonnes, s.low, s.high)]
    mass = style(values, MASSES)
    rows = tuple((text(s.name), text(s.basis), bounded_cell(s.carbon_tonnes, s.low, s.high, mass)) for s in run.scopes)
    known = [s.carbon_tonnes for s in run.scopes if s.carbon_tonnes is not None]
    total = sum(known) if len(known) == len(run.scopes) else None
    return Table(
        key="scopes",
        title="Carbon scopes",
        of=run.label,
        headings=("Scope", "Basis", f"Carbon ({mass.unit})"),
        rows=rows,
        numeric=frozenset({2}),
        totals=((text("Total"), text(""), styled(total, mass)),),
        notes=tuple(f"{s.name}: {s.source}" for s in run.scopes),
    )


def time_and_energy(run: Run) -> Table | None:
    """Where time and energy went, by phase."""
    if not run.spans:
        return None
    energy = style([s.energy_kwh for s in run.spans], ENERGIES)
    rows = tuple(
        (
            text(s.phase),
            quantity_cell(s.seconds, TIMES),
            styled(s.energy_kwh, energy),
            text({True: "measured", False: "estimated", None: "unknown"}[s.measured]),
        )
        for s in run.spans
    )
    return Table(
        key="phases",
        title="Time and energy by phase",
        of=run.label,
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
        title="Gaps and faults",
        of=run.label,
        headings=("Attempt", "What", "Where", "Reason", "Length or action"),
        rows=(*gaps, *faults),
        numeric=frozenset(),
    )


def factor_rows(carbon: CarbonPlan | None) -> tuple[tuple[str, str, str], ...]:
    """Each factor that the carbon rests on: its name, its value with the unit, and where it is from."""
    if carbon is None:
        return ()
    return (
        *((("place", carbon.place, "the spec (carbon.region)"),) if carbon.place else ()),
        ("PUE", f"{carbon.pue:g}", "the spec (carbon.pue)"),
        ("carbon intensity", f"{carbon.intensity_kg_per_kwh:g} kgCO2eq/kWh", carbon.intensity_source),
    )


def factors(run: Run) -> Table | None:
    """Every factor with its source."""
    rows = [[text(word) for word in row] for row in factor_rows(run.carbon)]
    made = table("factors", "Factors", ("Factor", "Value", "Source"), rows)
    return replace(made, of=run.label) if rows else None


def run_tables(run: Run) -> list[Table]:
    """All tables of one run, in reading order."""
    found = (
        limits_table("Taken so far", run.limits, run.label),
        lineage(run),
        difference(run),
        hours(run),
        attempts(run) if run.attempts else None,
        source_lines(run),
        scope_lines(run),
        time_and_energy(run),
        devices_table(run),
        trouble(run),
        factors(run),
    )
    return [table for table in found if table is not None]
