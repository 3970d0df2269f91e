"""What `plan --format json` prints: a layout with its memory, its time and the reason why it wins or loses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...spec.layout import Layout
from .layout_search import Candidate, Search


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A layout: bytes of a device's memory and seconds of a step, whole and by part; None where it does not fit."""

    layout: Layout
    memory_bytes: float
    memory: Mapping[str, float]
    step_seconds: float | None
    time: Mapping[str, float] | None
    reason: str


def plan_rows(found: Search, candidates: Iterable[Candidate]) -> list[PlanRow]:
    """A row a candidate."""
    return [
        PlanRow(
            layout=candidate.layout,
            memory_bytes=candidate.memory_bytes,
            memory=dict(candidate.memory),
            step_seconds=candidate.step.seconds if candidate.step else None,
            time={str(part): seconds for part, seconds in candidate.step.parts.items()} if candidate.step else None,
            reason=found.reason(candidate),
        )
        for candidate in candidates
    ]
