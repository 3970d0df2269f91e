"""The layouts that a search found, as a table: the best first, and why the others lose."""

from __future__ import annotations

from collections.abc import Sequence

from ...report.tables.cells import Cell, Table, fixed_cell, significant_cell, table, text
from ...spec.units import GIB
from .layout_search import Candidate, Search

SHOWN_PARTS = 3  # of a step
HEADINGS = (
    "Data", "Tensor", "Sequence", "Pipe", "ZeRO", "hpZ", "Micro batch", "Recompute", "GiB", "Step (s)", "Spent on",
    "Verdict",
)  # fmt: skip


def plan_table(found: Search, shown: Sequence[Candidate], title: str) -> Table:
    """One row a layout, in the order given."""
    rows = [_row(item, found.reason(item)) for item in shown]
    return table("plan", title, HEADINGS, rows, spare=("Spent on", "hpZ", "Data"))


def _row(candidate: Candidate, reason: str) -> list[Cell]:
    layout = candidate.layout
    degrees = (layout.data, layout.tensor, layout.sequence, layout.pipeline, layout.zero, layout.shard_group)
    return [
        *(fixed_cell(degree, 0) for degree in (*degrees, layout.micro_batch)),
        text(layout.activation_checkpointing),
        fixed_cell(candidate.memory_bytes / GIB, 1),
        significant_cell(candidate.step.seconds if candidate.step else None),
        text(_largest_parts(candidate)),
        text(reason),
    ]


def _largest_parts(candidate: Candidate) -> str:
    """The largest parts of a step, with their shares."""
    if candidate.step is None:
        return ""
    parts = sorted(candidate.step.parts.items(), key=lambda part: -part[1])[:SHOWN_PARTS]
    return ", ".join(f"{name} {value / candidate.step.seconds:.0%}" for name, value in parts if value > 0)
