"""Where a run stands: everything that the loop itself must remember over a restart, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .anomaly_detection import WINDOW


@dataclass(slots=True)
class State:
    """The loop's own memory. Weights, optimizer and random generators are the engine's part of a checkpoint."""

    step: int = 0  # optimizer steps taken, skipped ones included
    tokens: int = 0  # tokens seen
    shift: int = 0  # batches left out by going back: step s (from 1) trains on batch s - 1 + shift
    skipped: int = 0  # steps in a row that were skipped
    rewinds: int = 0  # times the run went back since the last checkpoint
    losses: list[float] = field(default_factory=list[float])  # the newest ones, for the spike guard

    def remember(self, loss: float) -> None:
        """Add a loss of a step that was applied."""
        self.losses = [*self.losses[1 - WINDOW :], loss]

    def restore(self, saved: dict[str, Any]) -> None:
        """Become what `to_json` saved."""
        for name, value in saved.items():
            setattr(self, name, value)

    def to_json(self) -> dict[str, Any]:
        """For the checkpoint."""
        return asdict(self)
