"""Report stage 2b: attempts in, the events that the final weights rest on out, each step once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ...spec.events import Event
from .attempts import AttemptEvents, step_of

_Kind = TypeVar("_Kind", bound=Event)


def lost_after(runs: list[AttemptEvents], index: int) -> int:
    """The step from which on the work of attempt `index` was done again by a later attempt, or thrown away."""
    return min((later.from_step for later in runs[index + 1 :]), default=runs[index].to_step)


@dataclass(frozen=True, slots=True)
class SurvivingEvent(Generic[_Kind]):
    """One event that counts, with the devices at work, and the time and energy spent up to it over all attempts."""

    event: _Kind
    devices: int | None
    seconds: float
    energy_kwh: float | None


def surviving_events(runs: list[AttemptEvents], kind: type[_Kind]) -> list[SurvivingEvent[_Kind]]:
    """The events of a kind that the final weights rest on, by step, each step once."""
    records: dict[int, SurvivingEvent[_Kind]] = {}
    for index, run in enumerate(runs):
        limit = lost_after(runs, index)
        for event, seconds, energy in zip(run.events, run.elapsed, run.energies, strict=True):
            if isinstance(event, kind) and (step := step_of(event)) <= max(limit, 0):
                records[step] = SurvivingEvent(event, run.start.world_size, seconds, energy)
    return [records[step] for step in sorted(records)]
