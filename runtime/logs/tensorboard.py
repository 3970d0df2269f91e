"""TensorBoard scalars, written by rank 0 beside the event log."""

from __future__ import annotations

import threading
from pathlib import Path

from ...spec.events import Event, StepEvent, ValidationEvent
from ...spec.exit_codes import DISK_ERRORS

CURVES = ("loss", "grad_norm", "learning_rate", "tokens_per_second", "mfu", "energy_kwh", "power_watts")


def scalars(event: Event) -> dict[str, float]:
    """The curves that an event adds a point to: `train/loss`, `validation/loss`, ... What is unknown is left out."""
    match event:
        case StepEvent():
            points = {f"train/{name}": getattr(event, name) for name in CURVES}
        case ValidationEvent():
            points = {"validation/loss": event.loss}
        case _:
            points = dict[str, float | None]()
    return {name: value for name, value in points.items() if value is not None}


class TensorBoardLog:
    """Writes the curves beside the event log."""

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        threading.excepthook = _leave_disk_errors_to_the_run
        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def show(self, event: Event) -> None:
        """Add the scalars of a `step` or `validation` event."""
        for name, value in scalars(event).items():
            self._writer.add_scalar(name, value, event.step)

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()


def _leave_disk_errors_to_the_run(failed: threading.ExceptHookArgs) -> None:
    """No traceback of TensorBoard's thread for a full disk: its next call raises the error, which ends the run."""
    if not (isinstance(failed.exc_value, OSError) and failed.exc_value.errno in DISK_ERRORS):
        threading.__excepthook__(failed)
