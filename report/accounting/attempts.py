"""Report stage 2: events in, attempts and step records out, with work that was lost to restarts kept apart.

Two rules. Curves: the last attempt's record of a step wins, since the weights hold only that one. Hours and energy:
every attempt counts, since lost work was paid for. Both only grow as a log grows, so a cut log never reports more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ...spec.events import (
    CheckpointEvent,
    Event,
    PhaseEvent,
    SpanEvent,
    StartEvent,
    StepEvent,
    StopEvent,
    ValidationEvent,
)
from ...spec.facts import figures

Work = StepEvent | ValidationEvent | CheckpointEvent  # events whose `seconds` are spans of their own
LONGEST_SILENCE: float = figures("reporting")["longest_silence"]  # seconds without an event


@dataclass(slots=True)
class AttemptEvents:
    """One attempt's events, and what they add up to. `energy` is continuous over attempts, in kWh."""

    number: int
    events: list[Event] = field(default_factory=list)
    prepared: float = 0.0  # kWh of preparation since the attempt before
    closed: int | None = None  # events from here on came after its end, from a launch that never started
    from_step: int = 0
    to_step: int = 0  # the last step that it finished
    seconds: float = 0.0
    energy_before: float = 0.0
    energy: float | None = None
    elapsed: list[float] = field(default_factory=list)  # training seconds since the first start, at each event
    energies: list[float | None] = field(default_factory=list)  # cumulative kWh, at each event

    @property
    def start(self) -> StartEvent:
        """The start event; nothing in it is known when it was lost."""
        return next((event for event in self.events if isinstance(event, StartEvent)), StartEvent())

    @property
    def stop(self) -> StopEvent | None:
        """The stop event, None when the attempt was killed."""
        return next((event for event in reversed(self.events) if isinstance(event, StopEvent)), None)

    def energy_at(self, step: int) -> float | None:
        """Cumulative kWh when `step` was done, None when no reading was logged by then."""
        known = [
            energy
            for event, energy in zip(self.events, self.energies, strict=True)
            if isinstance(event, StepEvent) and step_of(event) <= step and energy is not None
        ]
        return known[-1] if known else (self.energy_before if step <= self.from_step else None)


def step_of(event: Event) -> int:
    """The step an event belongs to; 0 when it names none."""
    return event.step or 0


def span(event: Event) -> float:
    """Seconds that an event says it took; none where it does not say."""
    return max(event.seconds or 0.0, 0.0) if isinstance(event, SpanEvent) else 0.0


def attempts(events: Iterable[Event]) -> list[AttemptEvents]:
    """Training attempts in order. Preparation (tokenizer, data) belongs to none: it holds no training device."""
    runs: list[AttemptEvents] = []
    prepared = 0.0
    for event in events:
        last = runs[-1] if runs else None
        if isinstance(event, PhaseEvent) and event.prepares:
            prepared += event.energy_kwh or 0.0
            if last and last.closed is None:
                last.closed = len(last.events)
        elif last and event.attempt == last.number:
            last.events.append(event)
            if isinstance(event, StopEvent):
                last.closed = len(last.events)
        elif isinstance(event, StartEvent | Work | StopEvent):
            runs.append(AttemptEvents(event.attempt or 1, [event], prepared))
            prepared = 0.0
    before = 0.0
    for index, attempt in enumerate(runs):
        steps = [step_of(event) for event in attempt.events if isinstance(event, StepEvent)]
        given = attempt.start.step
        attempt.from_step = given if given is not None else max(steps[0] - 1 if steps else 0, 0)
        attempt.to_step = max(steps, default=attempt.from_step)
        _clock(attempt, before)
        attempt.seconds = attempt.elapsed[-1] - before
        before = attempt.elapsed[-1]
        _meter(attempt, runs[:index])
    return runs


def _clock(attempt: AttemptEvents, before: float) -> None:
    """Fill `seconds` and `elapsed`: the startup time before the start event, then the wall clock.

    A clock that stood still or jumped, back or ahead, is overruled by the spans logged.
    """
    before += sum(span(event) for event in attempt.events if isinstance(event, PhaseEvent) and event.name == "startup")
    clock = worked = 0.0
    last = attempt.events[0].time
    for index, event in enumerate(attempt.events):
        now = event.time
        if now is not None and last is not None and (attempt.closed is None or index < attempt.closed):
            passed, logged = max(now - last, 0.0), span(event)
            clock += passed if passed - logged <= LONGEST_SILENCE else logged
        last = now if now is not None else last
        if isinstance(event, Work):
            worked += span(event)
        attempt.elapsed.append(before + max(clock, worked))


def _meter(attempt: AttemptEvents, earlier: list[AttemptEvents]) -> None:
    """Fill `energies`: cumulative kWh made continuous where an attempt went on from its checkpoint's older number."""
    last = earlier[-1] if earlier else None
    used = (last.energy_before if last.energy is None else last.energy) if last else 0.0
    attempt.energy_before = used + attempt.prepared
    readings = [_reading(event) for event in attempt.events]
    first = next((reading for reading in readings if reading is not None), None)
    if first is None:
        attempt.energies = list(readings)
        return
    offset = 0.0
    if first < attempt.energy_before:
        resumed = next(
            (run.energy_at(attempt.from_step) for run in reversed(earlier) if run.energy_at(attempt.from_step)), 0.0
        )
        offset = attempt.energy_before - min(resumed or 0.0, first)
    highest: float | None = None
    for reading in readings:
        if reading is not None:
            highest = max(reading + offset, highest or 0.0)
        attempt.energies.append(highest)
    attempt.energy = highest


def _reading(event: Event) -> float | None:
    """The cumulative reading of an event; a phase's energy is its own span's and no reading."""
    return event.energy_kwh if isinstance(event, StepEvent | StopEvent) else None
