"""Run folders of this project as cases of the cost model: each attempt under the spec that it ran with, and its steps.

The first steps of an attempt, in which kernels are chosen and memory grows, are left out; the median of the others
counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from statistics import median

from ...spec.events import Event, StartEvent, StepEvent, read_events
from ...spec.facts import figures
from ...spec.plan import read_plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ..cost.case import StepCase
from ..cost.from_spec import cost_case
from ..load import load
from .published_run import UnusableRow

WARM_UP: int = figures("accuracy")["own_run_steps"]["warm_up"]  # steps
FEWEST: int = figures("accuracy")["own_run_steps"]["fewest"]  # steps after them


@dataclass(frozen=True, slots=True)
class OwnAttempt:
    """One attempt: what the model is asked, what a calibration in its spec says, and what was measured."""

    run: str
    id: str
    case: StepCase  # without the calibration
    efficiency: float
    seconds: float  # a step
    watts: float | None  # a device; None where no instrument measured it

    @property
    def calibrated(self) -> StepCase:
        """The case as the attempt's own estimate answered it."""
        return scaled(self.case, self.efficiency)


def scaled(case: StepCase, factor: float) -> StepCase:
    """The case with its arithmetic so much faster."""
    return replace(case, profile=replace(case.profile, matmul=case.profile.matmul * factor))


def own_attempts(folder: Path, skipped: list[tuple[str, str]]) -> Iterator[OwnAttempt]:
    """The attempts of a run folder that can be used; the others go to `skipped`, with the reason.

    Raises InputError (TW861) where it holds no event log.
    """
    run = RunFolder(folder)
    if not run.events.is_file():
        remedy = "give the folder that `trainwright launch` wrote, or a file of runs"
        raise InputError.one("TW861", f"{folder} is not a run folder: it has no events.jsonl", remedy)
    named = [event for event in read_events(run.events) if event.attempt is not None]
    by_attempt = groupby(sorted(named, key=lambda event: event.attempt or 0), key=lambda event: event.attempt or 0)
    found = 0
    for number, events in by_attempt:
        found += 1
        name = f"{folder.resolve().name} #{number}"
        try:
            yield _attempt(run, number, list(events))
        except UnusableRow as reason:
            skipped.append((name, str(reason)))
        except InputError as error:
            skipped.append((name, error.problems[0].message))
    if not found:
        skipped.append((folder.resolve().name, "it never started"))


def _attempt(run: RunFolder, number: int, events: list[Event]) -> OwnAttempt:
    steps = [event for event in events if isinstance(event, StepEvent)][WARM_UP:]
    seconds = [event.seconds for event in steps if event.seconds]
    if len(seconds) < FEWEST:
        raise UnusableRow(f"{len(seconds)} of its steps come after the first {WARM_UP}: at least {FEWEST} are needed")
    kept = run.attempt(number)
    if not (lock := kept / "spec.lock.yaml").is_file():
        raise UnusableRow(f"{lock.relative_to(run.path)} is missing: the spec that it ran with is unknown")
    spec = load(lock).spec
    plain = spec.model_copy(update={"cluster": spec.cluster.model_copy(update={"efficiency": None})})
    start = next((event for event in events if isinstance(event, StartEvent)), StartEvent())
    watts = [event.power_watts for event in steps if event.power_watts]
    measured = start.measured and start.world_size and watts
    name = run.path.resolve().name
    return OwnAttempt(
        run=name,
        id=f"{name} #{number}",
        case=cost_case(plain, read_plan(kept).layout),
        efficiency=spec.cluster.efficiency or 1.0,
        seconds=median(seconds),
        watts=median(watts) / start.world_size if measured and start.world_size else None,
    )
