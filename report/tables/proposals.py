"""Proposed schedules as tables: what each takes, and the hours of the last one."""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.display_units import ENERGIES, MASSES, money
from ...spec.emissions import KG_PER_TONNE
from ...spec.hourly import moment
from ...spec.number_text import fixed, style
from ...spec.proposal import CapSpan, Proposal
from ...spec.units import DAY, HOUR
from .cells import Cell, Table, change_cell, fixed_cell, quantity_cell, styled, table, text

NOTE = (
    "Carbon of devices and cooling; money is of the hours in which the devices are held. Each start and resume takes "
    "time and energy, and does no work."
)


def proposal_table(found: Sequence[Proposal], of: str, source: str) -> Table:
    """One row a proposal; changes are against the first."""
    energy = style([item.kwh for item in found], ENERGIES)
    mass = style([item.kg / KG_PER_TONNE for item in found], MASSES)
    rows = [
        [
            text(item.name),
            text(moment(item.begin)),
            text(moment(item.end)),
            fixed_cell((item.end - item.begin) / DAY),
            Cell(f"{item.pauses:,}", item.pauses),
            fixed_cell(item.paused_seconds / HOUR, 0),
            styled(item.kwh, energy),
            styled(item.kg / KG_PER_TONNE, mass),
            change_cell(item.kg, found[0].kg),
            text("") if item.cost is None else quantity_cell(item.cost.value, money(item.currency)),
        ]
        for item in found
    ]
    headings = (
        "Schedule", "Begin", "End", "Days", "Pauses", "Paused (h)", f"Energy ({energy.unit})", f"Carbon ({mass.unit})",
        "Change", "Money",
    )  # fmt: skip
    made = table("proposals", f"When to train: {of}", headings, rows)
    return Table(
        made.key, made.title, made.headings, made.rows, made.numeric,
        notes=(
            NOTE,
            f"Intensity: {source}.",
        ),
        spare=("End",),
    )  # fmt: skip


def span_table(found: Proposal) -> Table:
    """The hours of a proposal, those of one cap as one row."""
    rows = [
        [text(moment(span.begin)), text(moment(span.end)), fixed_cell((span.end - span.begin) / HOUR, 1), _cap(span)]
        for span in found.spans
    ]
    return table("spans", f"Hours: {found.name}", ("Begin", "End", "Hours", "Power cap (W)"), rows)


def _cap(span: CapSpan) -> Cell:
    if span.paused:
        return text("paused")
    return text("none") if span.cap_watts is None else Cell(fixed(span.cap_watts, 0), span.cap_watts)
