"""Where a run stands: everything that the loop itself must remember over a restart, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .anomaly_detection import MEDIAN_WINDOW


@dataclass(slots=True)
class LoopState:
    """The loop's own memory. Weights, optimizer and random generators are the engine's part of a checkpoint."""

    step: int = 0  # optimizer steps taken, skipped ones included
    tokens: int = 0  # tokens seen
    rewound_batches: int = 0  # batches skipped by rewinding: step s (from 1) trains on batch s - 1 + this
    consecutive_skips: int = 0  # steps in a row that were skipped
    rewinds: int = 0  # times the run went back since the last checkpoint
    recent_losses: list[float] = field(default_factory=list[float])  # the newest ones, for the spike guard

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
