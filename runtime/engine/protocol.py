"""What the training loop uses of DeepSpeed's engine, and nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ..checkpoint.store import FileEntry
from ..parallel.pipeline_schedule import PipelineEngine


class CheckpointFiles(Protocol):
    """The files of the checkpoint that is being written, see `DurableCheckpointEngine`."""

    @property
    def all_written(self) -> bool:
        """Whether nothing is still being written."""
        ...

    def collect_written(self, folder: Path) -> dict[str, FileEntry]:
        """What this rank wrote into `folder` since the last call. Raises OSError."""
        ...


class Engine(PipelineEngine, Protocol):
    """A model with its optimizer, sharded over the ranks. Every method is called on all ranks together."""

    optimizer: Any
    checkpoint_engine: CheckpointFiles

    def step(self) -> None:
        """After the last micro-batch: clip, update unless a gradient is not finite, clear the gradients."""
        ...

    def was_step_applied(self) -> bool:
        """Whether the last `step` updated the weights."""
        ...

    def get_global_grad_norm(self) -> Any:
        """The gradient norm before clipping, over all ranks."""
        ...

    def train(self) -> Any:
        """Training mode."""
        ...

    def eval(self) -> Any:
        """Evaluation mode."""
        ...

    def save_checkpoint(self, folder: str, *, tag: str, save_latest: bool) -> Any:
        """Write this rank's files into `folder`/`tag`."""
        ...

    def load_checkpoint(self, folder: str, *, tag: str, load_lr_scheduler_states: bool) -> Any:
        """Read this rank's files."""
        ...
