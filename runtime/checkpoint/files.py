"""The files that DeepSpeed writes into a generation: hashed while written, synced, and read without trusting them.

`DurableFiles` takes the place of DeepSpeed's TorchCheckpointEngine, which writes without fsync and unpickles anything
(`weights_only=False`). Ours unpickles tensors and the few DeepSpeed classes named here, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import torch
from deepspeed.runtime.checkpoint_engine import TorchCheckpointEngine
from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler, LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address
from torch.serialization import safe_globals

from .store import FileEntry

HARMLESS: list[Any] = [LossScaler, DynamicLossScaler, ZeroStageEnum, fragment_address]


class DurableFiles(TorchCheckpointEngine):
    """Writes and reads the files of one checkpoint on this rank."""

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[str, FileEntry] = {}
        self._refusal: OSError | None = None

    def save(self, state_dict: Any, path: str) -> None:
        """Write `state_dict` to `path`, durably.

        A refusal of the disk is kept for `take`: raised here, it would leave the other ranks in DeepSpeed's barrier.
        """
        try:
            with Path(path).open("xb") as file:
                hashing = _Hashing(file)
                _save(state_dict, hashing)
                file.flush()
                os.fsync(file.fileno())
            self._written[path] = FileEntry(hashing.bytes, hashing.digest.hexdigest())
        except OSError as error:
            self._refusal = error

    def load(self, path: str, map_location: Any = None) -> Any:
        """The content of a file whose hash was checked before. Raises UnpicklingError on anything but plain state."""
        with safe_globals(HARMLESS):
            return torch.load(path, map_location=map_location, weights_only=True)

    def take(self, folder: Path) -> dict[str, FileEntry]:
        """What this rank wrote into `folder` since the last call, by path inside it. Raises OSError kept by `save`."""
        written, self._written = self._written, {}
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal
        return {str(Path(path).relative_to(folder)): entry for path, entry in written.items()}


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


def _save(state: Any, file: _Hashing) -> None:
    """torch.save, whose own errors would hide that the disk is full."""
    try:
        torch.save(state, cast("IO[bytes]", file))  # it asks for no more than `write` and `flush`
    except (RuntimeError, OSError):
        if file.error is not None:
            raise file.error from None
        raise
