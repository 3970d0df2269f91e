"""`trainwright plan SPEC`: the parallel layouts that fit, the best first, and why the others lose."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..compiler.check import load_checked_one
from ..compiler.plan.layout_search import Candidate, Search, search
from ..compiler.plan.plan_table import plan_table
from ..spec.hardware import gpu
from .options import FormatOption, Sets, SpecFile, Stack
from .output import print_tables


def _data(found: Search, candidate: Candidate) -> dict[str, Any]:
    step = candidate.step
    return {
        "layout": candidate.layout.model_dump(),
        "memory_bytes": candidate.memory_bytes,
        "memory": dict(candidate.memory),
        "step_seconds": step.seconds if step else None,
        "time": dict(step.parts) if step else None,
        "verdict": found.verdict(candidate),
    }


def command(
    spec: SpecFile,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    top: Annotated[int, typer.Option("--top", min=1, help="How many layouts to show.")] = 10,
    stack: Stack = None,
    everything: Annotated[bool, typer.Option("--all", help="Show layouts that cannot be run, too.")] = False,
    form: FormatOption = "text",
) -> None:
    """Search every layout that the runtime can run for this spec. Exit 2, with what would work, when none fits."""
    loaded = load_checked_one(spec, sets)
    found = search(loaded.spec, stack, everything=everything)
    failing = [candidate for candidate in found.candidates if candidate.step is None][:2]
    shown = [candidate for candidate in found.candidates if candidate.step][:top] + failing
    shown += found.foreign[:top]
    cluster = loaded.spec.cluster
    title = f"{loaded.spec.name}: {len(found.candidates)} legal layouts of {cluster.gpus} x {gpu(cluster.gpu).name}"
    title += f", as {stack} runs them" if stack else ""
    print_tables([plan_table(found, shown, title)], form, [_data(found, c) for c in shown])
