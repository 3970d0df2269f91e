"""`extends_run: RUN@STEP` written out: the run, the step, and the tokens up to there, read from the checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...spec.lineage import read_branch_point
from ...spec.problem import Problem
from ...spec.run_folder import RunFolder, list_checkpoints, step_of
from ...spec.yaml_source import Node, graft

CODE = "TW327"
SHOWN = 5  # steps that a message names
FORM = "Write RUN@STEP, for example runs/trunk@8000."


def with_branch_point(node: Node, folder: Path, problems: list[Problem]) -> Node | None:
    """`extends_run` as a mapping with all its keys, or None; what cannot be found out becomes a problem.

    `folder` is that of the spec, from which the path of the run is seen.
    """
    if isinstance(node.value, str):
        run, _, step = node.value.rpartition("@")
        if not run or not step.isascii() or not step.isdecimal() or len(step) > len("1000000"):
            problems.append(_problem(node, f"{node.value!r} is not a run and one of its steps", FORM))
            return None
        node = replace(node, value={"run": replace(node, value=run), "step": replace(node, value=int(step))})
    run, step = (found.value if (found := node.child(key)) else None for key in ("run", "step"))
    if "tokens" in node.items or not isinstance(run, str) or not isinstance(step, int):
        return node
    trunk = folder / run
    try:
        point = read_branch_point(trunk, step)
    except (OSError, ValueError) as error:
        why = f"{error.strerror or error}" if isinstance(error, OSError) else f"{error}"
        problems.append(_problem(node, f"the checkpoint of step {step} in {run} cannot be read: {why}", _remedy(trunk)))
        return node
    tokens = graft(f"{point.tokens} tokens", node.place, f"checkpoint {run}@{step}")
    return replace(node, value={**node.items, "tokens": tokens})


def _remedy(trunk: Path) -> str:
    """The steps that there are; elsewhere how to say what cannot be read."""
    newest = list_checkpoints(RunFolder(trunk).checkpoints)[:SHOWN]
    if newest:
        shown = ", ".join(str(step_of(generation)) for generation in reversed(newest))
        return f"Its checkpoints: {shown}. training.checkpoint.keep_every keeps more of them."
    return "Where the run is not on this machine, write {run: RUN, step: STEP, tokens: TOKENS UP TO THERE}."


def _problem(node: Node, message: str, remedy: str) -> Problem:
    return Problem(CODE, "error", message, remedy, "extends_run", node.place)
