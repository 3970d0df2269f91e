"""A profile as a table: where the seconds of a step were expected to go, and where they went on each rank."""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.estimate import Part
from ...spec.events import ProfileEvent
from ...spec.number_text import UNKNOWN
from ...spec.step_parts import StepPart
from .cells import Cell, Table, significant_cell, table, text

# what the cost model distinguishes and a trace does not.
TRACED = {
    "Compute": (StepPart.COMPUTE, StepPart.RECOMPUTATION, StepPart.GRADIENT_ACCUMULATION),
    "Communication": (
        StepPart.TENSOR_PARALLEL,
        StepPart.ZERO3_GATHERS,
        StepPart.GRADIENT_REDUCTION,
        StepPart.UPDATED_WEIGHTS_GATHER,
        StepPart.PIPELINE_TRANSFERS,
    ),
    "Optimizer": (StepPart.OPTIMIZER,),
    "Waiting": (StepPart.HOST_WAIT, StepPart.PIPELINE_BUBBLE, StepPart.JITTER, StepPart.PUBLISHED_LIMIT),
}


def profile_table(found: ProfileEvent, predicted: Sequence[Part]) -> Table:
    """Rows a part of the step, in seconds; `predicted` are the parts of the estimate, none where it is unknown."""
    traced = (found.compute_seconds, found.communication_seconds, found.optimizer_seconds, found.waiting_seconds)
    known = {part.name: part.value for part in predicted}
    rows = [
        [text(name), _seconds(_sum(known, parts)), *map(_seconds, seconds)]
        for (name, parts), seconds in zip(TRACED.items(), traced, strict=True)
    ]
    whole = _seconds(sum(known.values()) if known else None)
    rows.append([text("Whole step"), whole, *[_seconds(found.seconds)] * len(found.ranks)])
    headings = ["Part of a step", "Predicted (s)", *(f"Rank {rank} (s)" for rank in found.ranks)]
    return table("profile", f"Steps up to {found.step}, mean of {found.steps}", headings, rows)


def _sum(known: dict[str, float], parts: Sequence[StepPart]) -> float | None:
    return sum(known.get(part, 0.0) for part in parts) if known else None


def _seconds(value: float | None) -> Cell:
    return text(UNKNOWN) if value is None else significant_cell(value)
