"""Where a run stands: everything that the loop itself must remember over a restart, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ...spec.position import Position
from .anomaly_detection import MEDIAN_WINDOW


@dataclass(slots=True)
class LoopState:
    """The loop's own memory. Weights, optimizer and random generators are the engine's part of a checkpoint."""

    step: int = 0  # optimizer steps taken, skipped ones included
    samples: int = 0  # samples trained on in them
    rewound_samples: int = 0  # samples skipped by rewinding: what comes next is this much further on in the order
    consecutive_skips: int = 0  # steps in a row that were skipped
    rewinds: int = 0  # times the run went back since the last checkpoint
    recent_losses: list[float] = field(default_factory=list[float])  # the newest ones, for the spike guard

    @property
    def position(self) -> Position:
        """How far the run has come."""
        return Position(self.step, self.samples)

    def append_loss(self, loss: float) -> None:
        """Add a loss of a step that was applied."""
        self.recent_losses = [*self.recent_losses[1 - MEDIAN_WINDOW :], loss]

    def restore(self, saved: dict[str, Any]) -> None:
        """Become what `to_json` saved."""
        for name, value in saved.items():
            setattr(self, name, value)

    def to_json(self) -> dict[str, Any]:
        """For the checkpoint."""
        return asdict(self)
