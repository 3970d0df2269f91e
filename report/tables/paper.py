"""A paper's emissions table rebuilt from its own hours, and set beside what Trainwright predicts and what was measured.

Every number says whether it is published, computed from published ones, predicted or measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...spec.emissions import carbon_tonnes, energy_kwh, truncated
from ...spec.estimate import Estimate, Range
from ...spec.number_text import UNKNOWN, count
from ..accounting.curves import perplexity
from ..document import Document, Section, Series, generator, series_of
from ..values import Curves, Run
from .emissions import Cell, Table, text

TRUNCATION = "The paper truncates its rows, it does not round them; its printed rows add to less than its total."
BOOKED = (
    "The prediction is of the training run alone, by a good layout on this hardware; published GPU-hours are all that "
    "the authors booked, whatever the cause."
)
LAW = (
    "The predicted curve is a scaling law for runs that end at each token count. Along one run with one cosine "
    "schedule the loss lies above it until the end, so only the last point predicts the run itself."
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
        _fixed(math.fsum(item.published_device_hours or 0.0 for item, _ in known), 0),
        text(""),
        _fixed(total, 4),
        _fixed(round(total, 2)),
        _fixed(printed) if printed else text(""),
        text(_same(round(total, 2), printed) if printed is not None else ""),
    )


def _truncation(known: Sequence[tuple[Estimate, float]]) -> str:
    total, cut = math.fsum(tonnes for _, tonnes in known), math.fsum(truncated(tonnes) for _, tonnes in known)
    return f"{TRUNCATION} Truncated rows add to {cut:.2f}; the total of unrounded rows is {total:.2f}."


def _published_row(item: Estimate, tonnes: float) -> tuple[Cell, ...]:
    return (
        text(item.name),
        _fixed(item.published_device_hours, 0),
        _fixed(item.published_power_watts, 0),
        _fixed(tonnes, 4),
        _fixed(truncated(tonnes)),
        _fixed(item.published_carbon_tonnes),
        text(_same(truncated(tonnes), item.published_carbon_tonnes)),
    )


def _same(ours: float, theirs: float | None) -> str:
    return UNKNOWN if theirs is None else "yes" if f"{ours:.2f}" == f"{theirs:.2f}" else "NO"


def _fixed(value: float | None, digits: int = 2) -> Cell:
    return Cell(UNKNOWN if value is None else f"{value:,.{digits}f}", value)


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
        _fixed(published, 0),
        _fixed(hours.value if hours else None, 0),
        _bounds(hours, 0),
        _fixed(item.power_watts.value if item.power_watts else None, 0),
        _fixed(item.carbon_tonnes.value if item.carbon_tonnes else None),
        _bounds(item.carbon_tonnes),
        _fixed(item.published_carbon_tonnes),
        text(inside),
    )


def _bounds(value: Range | None, digits: int = 2) -> Cell:
    return text(UNKNOWN) if value is None else Cell(f"{value.low:,.{digits}f} to {value.high:,.{digits}f}", value.low)


def loss_table(estimates: Sequence[Estimate], runs: Sequence[Run]) -> Table:
    """The losses behind the figure: predicted at the end of training, and measured where runs are given."""
    rows = [
        (
            text(item.name),
            text("predicted"),
            Cell(count(item.tokens), item.tokens),
            _loss(item.final_loss),
            text(_why(item.final_loss)),
        )
        for item in estimates
    ]
    rows += [
        (
            text(run.label),
            text("measured"),
            Cell(count(run.training.tokens), run.training.tokens),
            _fixed(run.training.final_loss),
            text(f"validation {_fixed(run.training.validation_loss).text}"),
        )
        for run in runs
    ]
    return Table(
        key="losses",
        title="Training loss at the end",
        headings=("Run", "Basis", "Tokens", "Loss (nats per token)", "Remark"),
        rows=tuple(rows),
        numeric=frozenset({2, 3}),
        notes=("The paper shows its losses as a figure only; it prints no number to compare with.", LAW),
    )


def _loss(value: Range | None) -> Cell:
    return (
        text(UNKNOWN)
        if value is None
        else Cell(f"{value.value:.2f} ({value.low:.2f} to {value.high:.2f})", value.value)
    )


def _why(value: Range | None) -> str:
    return "the law says nothing at this size" if value is None else value.because


def predicted_series(label: str, tokens: Sequence[float], losses: Sequence[float | None]) -> Series:
    """A dashed line of predicted losses against tokens."""
    nothing = (None,) * len(tokens)
    known = {"tokens": tuple(tokens), "loss": tuple(losses), "perplexity": tuple(perplexity(loss) for loss in losses)}
    empty = {key: nothing for key in Curves.model_fields if key not in {*known, "step"}}
    return Series(f"{label} (predicted)", Curves(step=tuple(range(len(tokens))), **known, **empty), predicted=True)


def paper_document(
    paper: Mapping[str, Any], estimates: Sequence[Estimate], series: Sequence[Series], runs: Sequence[Run]
) -> Document:
    """One document: the table, the prediction, the figure's form; each number labelled."""
    published = published_table(estimates, paper["total_tonnes"])
    measured = tuple(series_of(run) for run in runs)
    return Document(
        kind="Reproduction",
        title=f"{paper['table']} and the form of {paper['figure']}",
        lede=f"{paper['title']} ({paper['source']}, {paper['date']}). Published, computed, predicted and measured "
        "numbers stand apart and are labelled.",
        tables=(*((published,) if published else ()), predicted_table(estimates)),
        series=(*series, *measured),
        sections=(Section("The loss figure", (loss_table(estimates, runs),)),),
        notes=(f"Intensity: {'; '.join(dict.fromkeys(item.intensity_source for item in estimates))}.",),
        generator=generator(),
    )
