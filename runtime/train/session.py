"""What the training loop works with: one value that carries the parts.

And the two things that every part of the loop does: telling what happened, and charging energy to what was being done.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from ...spec.events import Event
from ...spec.plan import Plan
from ...spec.run_folder import RunFolder
from ..checkpoint.save_restore import DraftCheckpoint
from ..data.dataset import Dataset
from ..energy import Meter, PhaseLedger, Reading
from ..energy.phases import Phase
from ..engine.protocol import Engine
from ..logs.event_log import EventLog
from ..logs.progress_line import ProgressLine
from ..logs.tensorboard import TensorBoardLog
from ..parallel.world import World
from .device_log import DeviceLog, node_events
from .loop_state import LoopState
from .step_profile import StepProfile
from .stop_request import StopRequest


@dataclass(frozen=True, slots=True)
class Rank0Logs:
    """Where rank 0 says what happens: the log, TensorBoard, the terminal."""

    events: EventLog
    tensorboard: TensorBoardLog
    progress: ProgressLine


@dataclass(frozen=True, slots=True)
class Instruments:
    """What measures, and what asks: the meter with its ledger, and requests to stop."""

    meter: Meter
    ledger: PhaseLedger
    stop: StopRequest


@dataclass(slots=True)
class Session:
    """A run under way on this rank. Only rank 0 has a voice."""

    plan: Plan
    run: RunFolder
    world: World
    engine: Engine
    train: Dataset
    validation: Dataset
    instruments: Instruments
    state: LoopState
    logs: Rank0Logs | None
    devices: DeviceLog
    profile: StepProfile
    kept: dict[str, Any]  # settings and digests of the data, which checkpoints carry
    budget_warned: bool = False  # whether the budget's warning was given
    last_checkpoint: float = field(default_factory=time.monotonic)  # when the last checkpoint was begun
    draft: DraftCheckpoint | None = None  # the checkpoint that is being written
    stall_seconds: float = 0.0  # seconds that it has kept training waiting

    def log_event(self, event: Event) -> None:
        """Write an event, and show it."""
        if self.logs is None:
            return
        written = self.logs.events.write(event)
        self.logs.tensorboard.show(written)
        self.logs.progress.show(written)

    def charge_energy(self, phase: Phase, reading: Reading | None = None) -> Reading:
        """Charge what was used since the last call to `phase`; `reading` is the sum over ranks, if known already."""
        if reading is None:  # where one phase ends and the next begins
            self.instruments.meter.sample_now()
            reading = Reading.from_vector(self.world.all_reduce_sum(self.instruments.meter.read().vector()))
        self.instruments.ledger.charge_energy(phase, reading)
        return reading

    def log_devices(self) -> None:
        """Log what each device did since the last call; every rank calls it after the same step."""
        seconds, own = self.devices.take()
        meter = self.instruments.meter
        said = self.world.all_gather_object((self.world.local_rank, socket.gethostname(), own, meter.devices()))
        for event in node_events(said, step=self.state.step, seconds=seconds):
            self.log_event(event)

    def flush_phases(self) -> None:
        """Write down the phases since the last call, and what the meters have to report, durably."""
        reported = self.world.all_gather_object(self.instruments.meter.events())  # each node's meter knows its own gaps
        for event in chain(self.instruments.ledger.events(), *reported):
            self.log_event(replace(event, step=self.state.step))
        if self.logs is not None:
            self.logs.events.sync()

    def close(self) -> None:
        """Let go of the meter, the log and the terminal."""
        self.instruments.meter.close()
        if self.logs is not None:
            self.logs.progress.close()
            self.logs.tensorboard.close()
            self.logs.events.close()
