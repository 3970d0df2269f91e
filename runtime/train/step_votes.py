"""What each rank has to say about a step, summed over all ranks in the step's one all-reduce."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..energy.meter_reading import ABSENT, Reading


@dataclass(frozen=True, slots=True)
class StepVotes:
    """One rank's votes, or the sum over ranks. All numbers are float64 in the vector, so every rank gets the same."""

    loss_sum: float = 0.0  # nats per token, summed over the micro-batches; zero but on the last pipeline stage
    signalled: float = 0.0  # ranks that got a signal to stop
    stop_file: float = 0.0  # 1 where rank 0 sees the stop file
    checkpoint_due: float = 0.0  # 1 where rank 0 wants a checkpoint after this step
    checkpoint_written: float = 0.0  # ranks that have written all files of the draft
    profile_asked: float = 0.0  # 1 where rank 0 sees a request for a profile
    meter: Reading = ABSENT

    def vector(self) -> list[float]:
        """Numbers whose element-wise sum over ranks is the vector of the summed votes."""
        *own, _ = (getattr(self, field.name) for field in fields(self))  # the last is the meter's
        return [*own, *self.meter.vector()]

    @classmethod
    def from_vector(cls, vector: list[float]) -> StepVotes:
        """The votes of a summed vector."""
        own = len(fields(cls)) - 1
        return cls(*vector[:own], meter=Reading.from_vector(vector[own:]))

    @property
    def stop_reason(self) -> str:
        """Why the run must stop after this step, or ""."""
        return "signal" if self.signalled else "stop-file" if self.stop_file else ""
