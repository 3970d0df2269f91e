"""A paper's emissions table rebuilt from its own hours, and set beside what Trainwright predicts and what was measured.

Every number says whether it is published, computed from published ones, predicted or measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...spec.estimate import Estimate, Range
from ...spec.number_text import UNKNOWN, count
from ..accounting.curves import perplexity
from ..document import Document, Section, Series, generator, series_of
from ..values import Curves, Run
from .cells import Cell, Table, fixed_cell, text
from .published import predicted_table, published_table

LAW = (
    "The predicted curve is a scaling law for runs that end at each token count. Along one run with one cosine "
    "schedule the loss lies above it until the end, so only the last point predicts the run itself."
)


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
            fixed_cell(run.training.final_loss),
            text(f"validation {fixed_cell(run.training.validation_loss).text}"),
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


def predicted_series(label: str, tokens: Sequence[float], laws: Sequence[Range | None]) -> Series:
    """A dashed line of predicted losses against tokens, with its band."""
    losses, low, high = (tuple(getattr(law, key, None) for law in laws) for key in ("value", "low", "high"))
    nothing = (None,) * len(tokens)
    known = {"tokens": tuple(tokens), "loss": losses, "perplexity": tuple(perplexity(loss) for loss in losses)}
    empty = {key: nothing for key in Curves.model_fields if key not in {*known, "step"}}
    return Series(
        f"{label} (predicted)",
        Curves(step=tuple(range(len(tokens))), **known, **empty),
        predicted=True,
        band=(low, high),
    )


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
