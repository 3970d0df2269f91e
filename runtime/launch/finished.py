"""Whether a run has nothing left to do: then a launch says so and starts nothing."""

from __future__ import annotations

from ...spec.events import StartEvent, StopEvent, read_events
from ...spec.plan import Plan
from ...spec.run_folder import RunFolder
from ..checkpoint.saved_run import SavedRun, newest_saved_run
from ..checkpoint.signing_key import signing_key


def finished(plan: Plan, run: RunFolder, saved: SavedRun) -> str:
    """What a finished run has done, in words; "" where `plan` asks for more, or the end was not logged."""
    position = saved.position
    if position.steps_left(plan) or not _ended_well(run):
        return ""
    tokens = position.samples * plan.training.sequence_length
    asked = "" if position.samples == plan.samples else f"; the spec asks for {plan.data.tokens:,}"
    return f"{tokens:,} tokens trained in {position.step:,} steps{asked}"


def finished_run(plan: Plan, run: RunFolder) -> str:
    """`finished` for a process that was started nevertheless, by a scheduler for example."""
    saved = newest_saved_run(run, signing_key(plan.training.checkpoint))
    return finished(plan, run, saved) if saved else ""


def _ended_well(run: RunFolder) -> bool:
    try:
        last = [event for event in read_events(run.events) if isinstance(event, StartEvent | StopEvent)][-1:]
    except OSError:
        return False
    return any(isinstance(event, StopEvent) and event.reason == "done" for event in last)
