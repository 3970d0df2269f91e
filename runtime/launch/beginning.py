"""Whether a run may begin in a folder that has no checkpoint to resume from."""

from __future__ import annotations

from ...spec.events import CheckpointEvent, read_events
from ...spec.exit_codes import Exit
from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import CHECKPOINT_STATE, RunFolder
from ...spec.run_parts import owning_run, strangers
from ..checkpoint import store
from ..checkpoint.signing_key import signing_key


class LostCheckpointsError(InputError):
    """The run has trained, and none of its checkpoints can be read."""

    exit_code = Exit.CORRUPT


def require_beginning(plan: Plan, run: RunFolder) -> None:
    """Raise InputError unless nothing of value can be lost when `plan` begins in `run`.

    LostCheckpointsError where the folder has checkpoints and none can be read, or its log records some.
    """
    key = signing_key(plan.training.checkpoint)
    flaws = [
        store.incomplete(generation, key) or f"{generation.name}/{CHECKPOINT_STATE} cannot be read"
        for generation in store.list_checkpoints(run.checkpoints)
    ]
    if flaws or _logged_checkpoints(run):
        why = "; ".join(flaws) or "the log records checkpoints that are gone"
        remedy = "Restore one from a copy, or start a new run folder."
        raise LostCheckpointsError.one("TW714", f"no checkpoint of {run.path} can be read: {why}", remedy, "--run")
    if around := owning_run(run.path):
        raise InputError.one("TW634", f"{run.path} belongs to the run in {around}", "Choose another place.", "--run")
    if names := strangers(run.path):
        message = f"{run.path} is not a run folder, and a run would replace what it holds: {', '.join(names)}"
        raise InputError.one("TW715", message, "Choose another run folder.", "--run")


def _logged_checkpoints(run: RunFolder) -> bool:
    try:
        return any(isinstance(event, CheckpointEvent) for event in read_events(run.events))
    except OSError:
        return False
