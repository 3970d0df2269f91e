"""`trainwright plan SPEC`: the parallel layouts that fit, the best first, and why the others lose."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..compiler.check import load_checked_one
from ..compiler.plan.layout_search import Candidate, search
from ..report.tables.emissions import Cell
from .figures import FormatOption, figure, number, print_tables, table
from .options import Sets, SpecFile

GIB = 2**30
COLUMNS = (
    "Data",
    "Tensor",
    "Sequence",
    "Pipe",
    "ZeRO",
    "hpZ",
    "Micro batch",
    "Recompute",
    "GiB",
    "Step (s)",
    "Spent on",
    "Verdict",
)


def _spent(candidate: Candidate) -> str:
    """The largest parts of a step."""
    if candidate.step is None:
        return ""
    parts = sorted(candidate.step.parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {value / candidate.step.seconds:.0%}" for name, value in parts[:3] if value > 0)


def _row(candidate: Candidate) -> list[Cell]:
    layout = candidate.layout
    degrees = (layout.data, layout.tensor, layout.sequence, layout.pipeline, layout.zero, layout.shard_group)
    seconds = figure(candidate.step.seconds) if candidate.step else Cell("unknown")
    return [
        *(number(degree, 0) for degree in (*degrees, layout.micro_batch)),
        Cell(layout.recompute),
        number(candidate.memory_bytes / GIB, 1),
        seconds,
        Cell(_spent(candidate)),
        Cell(candidate.verdict),
    ]


def _data(candidate: Candidate) -> dict[str, Any]:
    step = candidate.step
    return {
        "layout": candidate.layout.model_dump(),
        "memory_bytes": candidate.memory_bytes,
        "memory": candidate.memory,
        "step_seconds": step.seconds if step else None,
        "time": dict(step.parts) if step else None,
        "verdict": candidate.verdict,
    }


def command(
    spec: SpecFile,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    top: Annotated[int, typer.Option("--top", min=1, help="How many layouts to show.")] = 10,
    form: FormatOption = "table",
) -> None:
    """Search every layout that the runtime can run for this spec. Exit 2, with what would work, when none fits."""
    loaded = load_checked_one(spec, sets)
    found = search(loaded.spec)
    failing = [candidate for candidate in found.candidates if candidate.step is None][:2]
    shown = [candidate for candidate in found.candidates if candidate.step][:top] + failing
    title = f"{loaded.spec.name}: {len(found.candidates)} legal layouts of {loaded.spec.cluster.gpus} devices"
    made = table("plan", title, COLUMNS, [_row(c) for c in shown], spare=("Spent on", "hpZ", "Data"))
    print_tables([made], form, [_data(c) for c in shown])
