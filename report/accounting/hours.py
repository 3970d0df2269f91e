"""Report stage 4c: where the device hours went, beside what the plan gave them; the parts add up to the row's hours.

Steps that count stand beside the estimate's step time; everything else stands beside what the estimate left for it
(its goodput), and is then listed apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.events import CheckpointEvent, Event, PhaseEvent, StepEvent, ValidationEvent
from ...spec.units import HOUR
from ..values import HourPart
from .attempts import AttemptEvents, span
from .emissions_row import world_size
from .history import RunHistory
from .surviving import surviving_events


def hour_parts(runs: Sequence[AttemptEvents], history: RunHistory) -> tuple[HourPart, ...]:
    """Device hours by what they were spent on. Empty when nothing ran or a world size is unknown."""
    devices = [world_size(run, history) for run in runs]
    if not runs or None in devices:
        return ()
    counting = {id(record.event) for record in surviving_events(list(runs), StepEvent)}
    spent = {"steps that count": 0.0, "lost work": 0.0, "validation": 0.0, "checkpoints": 0.0, "start-up": 0.0}
    total = 0.0
    for run, count in zip(runs, devices, strict=True):
        share = (count or 0) / HOUR
        total += run.seconds * share
        for event in run.events:
            name = _part(event, counts=id(event) in counting)
            if name:
                spent[name] += span(event) * share
    spent["between"] = max(total - sum(spent.values()), 0.0)
    steps, rest = _planned(history)
    other = total - spent["steps that count"]
    return (
        HourPart(part="steps that count", planned=steps, actual=spent.pop("steps that count"), of_which=False),
        HourPart(part="everything else", planned=rest, actual=other, of_which=False),
        *(HourPart(part=name, planned=None, actual=hours, of_which=True) for name, hours in spent.items()),
    )


def _part(event: Event, *, counts: bool) -> str:
    match event:
        case StepEvent():
            return "steps that count" if counts else "lost work"
        case ValidationEvent():
            return "validation"
        case CheckpointEvent():
            return "checkpoints"
        case PhaseEvent(name="startup"):
            return "start-up"
        case _:
            return ""


def _planned(history: RunHistory) -> tuple[float | None, float | None]:
    """Planned device hours of steps, and of everything else; None when the plan does not say."""
    estimate, schedule = history.estimate, history.schedule
    if estimate is None or schedule is None or estimate.step_seconds is None or estimate.device_hours is None:
        return None, None
    steps = schedule.own_steps * estimate.step_seconds.value * estimate.devices / HOUR
    return steps, max(estimate.device_hours.value - steps, 0.0)
