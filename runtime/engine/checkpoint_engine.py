"""The files that DeepSpeed writes into a generation: hashed while written, synced, and read without trusting them.

`DurableCheckpointEngine` replaces DeepSpeed's TorchCheckpointEngine, which writes without fsync and unpickles anything
(`weights_only=False`). Ours unpickles tensors and the few DeepSpeed classes listed here, and nothing else.

In the background, a file is first serialised in memory, so that training cannot change what it will hold.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import torch
from deepspeed.runtime.checkpoint_engine import TorchCheckpointEngine
from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler, LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address
from torch.serialization import safe_globals

from ..checkpoint.store import FileEntry

SAFE_CLASSES: list[Any] = [LossScaler, DynamicLossScaler, ZeroStageEnum, fragment_address]


class DurableCheckpointEngine(TorchCheckpointEngine):
    """Writes and reads the files of one checkpoint on this rank; with `background`, a thread does the writing."""

    def __init__(self, *, background: bool = False) -> None:
        super().__init__()
        self._writer = ThreadPoolExecutor(1, "checkpoint") if background else None
        self._writes: dict[str, Future[FileEntry]] = {}

    def save(self, state_dict: Any, path: str) -> None:
        """Write `state_dict` to `path`, durably, now or in the background.

        A write error is kept for `collect_written`: raised here, the other ranks would hang in DeepSpeed's barrier.
        """
        if self._writer is None:
            self._writes[path] = _completed(partial(_write, path, partial(_save, state_dict)))
        else:
            memory = io.BytesIO()
            torch.save(state_dict, memory)
            content = memory.getbuffer()
            self._writes[path] = self._writer.submit(_write, path, lambda file: file.write(content))

    @property
    def all_written(self) -> bool:
        """Whether nothing is still being written."""
        return all(write.done() for write in self._writes.values())

    def load(self, path: str, map_location: Any = None) -> Any:
        """The content of a file whose hash was checked before. Raises UnpicklingError on anything but plain state."""
        with safe_globals(SAFE_CLASSES):
            return torch.load(path, map_location=map_location, weights_only=True)

    def collect_written(self, folder: Path) -> dict[str, FileEntry]:
        """What this rank wrote into `folder` since the last call, by path inside it; waits for what is being written.

        Raises OSError when the disk refused any of it.
        """
        writes, self._writes = self._writes, {}
        wait(writes.values())
        return {str(Path(path).relative_to(folder)): write.result() for path, write in writes.items()}


class _Hashing:
    """A file that hashes what passes through, so that a checkpoint is not read again to be sealed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.bytes = 0
        self.error: OSError | None = None

    def write(self, block: Any) -> int:
        """Pass on a block."""
        try:
            self._file.write(block)
        except OSError as error:
            self.error = error
            raise
        self.digest.update(block)
        self.bytes += len(block)
        return len(block)

    def flush(self) -> None:
        """Pass on."""
        self._file.flush()


def _completed(action: Callable[[], FileEntry]) -> Future[FileEntry]:
    """What `action` gave, or how the disk refused, as if a thread had done it."""
    outcome: Future[FileEntry] = Future()
    try:
        outcome.set_result(action())
    except OSError as error:
        outcome.set_exception(error)
    return outcome


def _write(path: str, fill: Callable[[_Hashing], object]) -> FileEntry:
    """A new file at `path`, durable. Raises OSError."""
    with Path(path).open("xb") as file:
        hashing = _Hashing(file)
        fill(hashing)
        file.flush()
        os.fsync(file.fileno())
    return FileEntry(hashing.bytes, hashing.digest.hexdigest())


def _save(state: Any, file: _Hashing) -> None:
    """torch.save, whose own errors would hide that the disk is full."""
    try:
        torch.save(state, cast("IO[bytes]", file))  # it asks for no more than `write` and `flush`
    except (RuntimeError, OSError):
        if file.error is not None:
            raise file.error from None
        raise
