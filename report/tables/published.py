"""Published figures beside ours: a paper's table recomputed from its own hours, and what the cost model predicts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...spec.emissions import carbon_tonnes, energy_kwh, truncated
from ...spec.estimate import Estimate, Range
from ...spec.number_text import UNKNOWN
from .cells import Cell, Table, fixed_cell, text

TRUNCATION = "The paper truncates its rows, it does not round them; its printed rows add to less than its total."
BOOKED = (
    "The prediction is of the training run alone, by a good layout on this hardware; published GPU-hours are all that "
    "the authors booked, whatever the cause."
)


def computed_tonnes(estimate: Estimate) -> float | None:
    """Carbon by the paper's formula from published hours and power; None when a spec has no published figures."""
    if estimate.published_device_hours is None or estimate.published_power_watts is None:
        return None
    kwh = energy_kwh(estimate.published_device_hours, estimate.published_power_watts)
    return carbon_tonnes(kwh, estimate.pue, estimate.intensity_kg_per_kwh)


def published_table(estimates: Sequence[Estimate], printed_total: float | None = None) -> Table | None:
    """The table from published hours, beside the printed digits. None when no spec has published figures."""
    known = [(item, tonnes) for item in estimates if (tonnes := computed_tonnes(item)) is not None]
    if not known:
        return None
    several = len(known) > 1  # a total of one row says nothing
    return Table(
        key="published",
        title="From published GPU-hours: hours x power x PUE x intensity",
        headings=("Run", "GPU-hours", "Power (W)", "tCO2eq", "as printed", "paper", "same digits"),
        rows=tuple(_published_row(item, tonnes) for item, tonnes in known),
        numeric=frozenset({1, 2, 3, 4, 5}),
        totals=(_published_total(known, printed_total),) if several else (),
        notes=(
            *((_truncation(known),) if several else ()),
            "GPU-hours, power and the column named paper are published; the other columns are computed from them.",
        ),
    )


def _published_total(known: Sequence[tuple[Estimate, float]], printed: float | None) -> tuple[Cell, ...]:
    total = math.fsum(tonnes for _, tonnes in known)
    return (
        text("Total"),
        fixed_cell(math.fsum(item.published_device_hours or 0.0 for item, _ in known), 0),
        text(""),
        fixed_cell(total, 4),
        fixed_cell(round(total, 2)),
        fixed_cell(printed) if printed else text(""),
        text(_same(round(total, 2), printed) if printed is not None else ""),
    )


def _truncation(known: Sequence[tuple[Estimate, float]]) -> str:
    total, cut = math.fsum(tonnes for _, tonnes in known), math.fsum(truncated(tonnes) for _, tonnes in known)
    return f"{TRUNCATION} Truncated rows add to {cut:.2f}; the total of unrounded rows is {total:.2f}."


def _published_row(item: Estimate, tonnes: float) -> tuple[Cell, ...]:
    return (
        text(item.name),
        fixed_cell(item.published_device_hours, 0),
        fixed_cell(item.published_power_watts, 0),
        fixed_cell(tonnes, 4),
        fixed_cell(truncated(tonnes)),
        fixed_cell(item.published_carbon_tonnes),
        text(_same(truncated(tonnes), item.published_carbon_tonnes)),
    )


def _same(ours: float, theirs: float | None) -> str:
    return UNKNOWN if theirs is None else "yes" if f"{ours:.2f}" == f"{theirs:.2f}" else "NO"


def predicted_table(estimates: Sequence[Estimate]) -> Table:
    """Predicted hours, draw and carbon with their ranges, beside the published ones."""
    return Table(
        key="predicted",
        title="Predicted by the cost model, beside the published figures",
        headings=(
            "Run",
            "Hours, published",
            "Hours, predicted",
            "Range",
            "Draw (W), predicted",
            "tCO2eq, predicted",
            "Range",
            "tCO2eq, published",
            "Published hours in range",
        ),
        rows=tuple(_predicted_row(item) for item in estimates),
        numeric=frozenset({1, 2, 3, 4, 5, 6, 7}),
        notes=(
            "Published carbon counts each GPU at its cap for all GPU-hours; predicted carbon counts the average draw.",
            BOOKED,
        ),
    )


def _predicted_row(item: Estimate) -> tuple[Cell, ...]:
    hours, published = item.device_hours, item.published_device_hours
    inside = UNKNOWN if hours is None or published is None else "yes" if hours.low <= published <= hours.high else "no"
    return (
        text(item.name),
        fixed_cell(published, 0),
        fixed_cell(hours.value if hours else None, 0),
        _bounds(hours, 0),
        fixed_cell(item.power_watts.value if item.power_watts else None, 0),
        fixed_cell(item.carbon_tonnes.value if item.carbon_tonnes else None),
        _bounds(item.carbon_tonnes),
        fixed_cell(item.published_carbon_tonnes),
        text(inside),
    )


def _bounds(value: Range | None, digits: int = 2) -> Cell:
    return text(UNKNOWN) if value is None else Cell(f"{value.low:,.{digits}f} to {value.high:,.{digits}f}", value.low)
