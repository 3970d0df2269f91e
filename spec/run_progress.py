"""A run under way, from its event log as it grows: where it stands, in one value that every new event updates."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .device_row import DeviceRow
from .events import (
    PREPARATION_FAILED,
    CheckpointEvent,
    DevicesEvent,
    Event,
    FaultEvent,
    PhaseEvent,
    StartEvent,
    StepEvent,
    StopEvent,
    ValidationEvent,
    from_line,
)
from .foreign_files import LONGEST_LINE, foreign_lines, open_foreign

RECENT = 50  # steps that the time left is judged by


@dataclass(slots=True)
class Progress:
    """Where a run stands. None is unknown. Power is the whole job's, energy the run's so far, in watts and kWh."""

    attempt: int = 0
    step: int = 0
    last_step: int | None = None  # where the run will end
    tokens: float | None = None
    loss: float | None = None
    validation_loss: float | None = None
    tokens_per_second: float | None = None
    mfu: float | None = None
    power_watts: float | None = None
    energy_kwh: float | None = None
    measured: bool | None = None
    meter: str = "unknown"
    phase: str = "not started"
    checkpoint: int | None = None
    faults: int = 0
    last_fault: str = ""
    ended: str = ""
    time: float | None = None
    since: int | None = None  # the step before which nothing was read; None: all was
    devices: dict[int, DeviceRow] = field(default_factory=dict[int, DeviceRow])  # of each rank, as last logged
    losses: list[float] = field(default_factory=list[float])
    recent: deque[float] = field(default_factory=lambda: deque[float](maxlen=RECENT))

    def update(self, event: Event) -> None:
        """Take in one event."""
        self.time = event.time or self.time
        match event:
            case StartEvent():
                self._start(event)
            case StepEvent():
                self._step(event)
            case DevicesEvent():
                self.devices |= {row.rank: row for row in event.rows() if row.rank is not None}
            case ValidationEvent():
                self.validation_loss = event.loss
            case CheckpointEvent():
                self.checkpoint = event.step or 0
            case FaultEvent():
                self._fault(event)
            case PhaseEvent() if self.attempt == 0 and self.ended != PREPARATION_FAILED:
                self.phase = f"prepared: {event.name}"
            case StopEvent():
                self.ended = event.reason
                self.phase = "finished" if self.ended == "done" else f"stopped: {self.ended}"
            case _:
                pass
        if isinstance(event, StepEvent | StopEvent):
            self.energy_kwh = event.energy_kwh or self.energy_kwh

    def _start(self, event: StartEvent) -> None:
        self.attempt = event.attempt or self.attempt + 1
        self.step = event.step or 0
        self.last_step = event.last_step
        self.measured = event.measured is True
        self.meter = event.meter or "none"
        self.phase, self.ended = "training", ""
        self.recent.clear()
        self.devices.clear()

    def _fault(self, event: FaultEvent) -> None:
        self.faults += 1
        self.last_fault = f"{event.what}: {event.action}"
        if event.what.startswith(PREPARATION_FAILED):
            self.phase, self.ended = PREPARATION_FAILED, PREPARATION_FAILED

    def _step(self, event: StepEvent) -> None:
        self.phase = "training"
        self.step = event.step or 0
        self.tokens, self.loss = event.tokens, event.loss
        self.tokens_per_second, self.mfu, self.power_watts = event.tokens_per_second, event.mfu, event.power_watts
        if self.loss is not None:
            self.losses.append(self.loss)
        if event.seconds is not None:
            self.recent.append(event.seconds)

    def seconds_left(self, steps: int | None) -> float | None:
        """Time to the last of `steps` at the recent pace; None when either is unknown."""
        if steps is None or not self.recent:
            return None
        return max(steps - self.step, 0) * sum(self.recent) / len(self.recent)


@dataclass(slots=True)
class EventFollower:
    """Reads only what was appended since the last look; an unfinished last line waits for its end."""

    path: Path
    offset: int = 0

    def new_events(self) -> Iterator[Event]:
        """Events appended since the last call; nothing while there is no log yet."""
        if not self.path.is_file():
            return
        with open_foreign(self.path) as log:
            log.seek(self.offset)
            for line in foreign_lines(log):
                if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                    return
                self.offset += len(line)
                event = from_line(line)
                if event is not None:
                    yield event
