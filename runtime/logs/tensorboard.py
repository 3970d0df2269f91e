"""TensorBoard scalars, written by rank 0 beside the event log."""

from __future__ import annotations

from pathlib import Path

from ...spec.run_folder import Event

SCALARS = {
    "step": ("loss", "grad_norm", "learning_rate", "tokens_per_second", "mfu", "energy_kwh", "power_watts"),
    "validation": ("loss",),
}


def scalars(event: Event) -> dict[str, float]:
    """The curves that an event adds a point to: `train/loss`, `validation/loss`, ... What is unknown is left out."""
    prefix = "train" if event["kind"] == "step" else event["kind"]
    names = SCALARS.get(event["kind"], ())
    return {f"{prefix}/{name}": event[name] for name in names if event.get(name) is not None}


class TensorBoardLog:
    """Writes the curves beside the event log."""

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def show(self, event: Event) -> None:
        """Add the scalars of a `step` or `validation` event."""
        for name, value in scalars(event).items():
            self._writer.add_scalar(name, value, event["step"])

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()
