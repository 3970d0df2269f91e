"""TensorBoard scalars, written by rank 0 beside the event log."""

from __future__ import annotations

from pathlib import Path

from ..spec.run import Event

SCALARS = {
    "step": ("loss", "grad_norm", "learning_rate", "tokens_per_second", "mfu", "energy_kwh", "power_watts"),
    "validation": ("loss",),
}


class Board:
    """Turns events into scalars: `train/loss`, `validation/loss`, ... A number that is unknown is left out."""

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def show(self, event: Event) -> None:
        """Add the scalars of a `step` or `validation` event."""
        prefix = "train" if event["kind"] == "step" else event["kind"]
        for name in SCALARS.get(event["kind"], ()):
            if event.get(name) is not None:
                self._writer.add_scalar(f"{prefix}/{name}", event[name], event["step"])

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()
