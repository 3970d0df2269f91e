"""Small values from rank to rank: pickled as torch does it, unpickled as torch does not.

`all_gather_object` runs whatever program a peer sends. Here nothing but plain values and the few classes below is made
from what comes in, so that a host that got into the process group cannot run code on the others this way.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import torch
from torch import distributed

CLASSES = frozenset(
    {
        "pathlib.PosixPath",
        "pathlib._local.PosixPath",  # Python 3.13
        "trainwright.runtime.checkpoint.store.FileEntry",
        "trainwright.runtime.preflight.check_result.CheckResult",
        "trainwright.spec.device_row.DeviceRow",
        "trainwright.spec.event_fields.EnforcedCap",
        "trainwright.spec.events.FaultEvent",
        "trainwright.spec.events.GapEvent",
        "trainwright.spec.exit_codes.Exit",
    }
)


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in CLASSES:
            raise pickle.UnpicklingError(f"a peer sent {module}.{name}, which no rank sends")
        return super().find_class(module, name)


def loads(content: bytes) -> Any:
    """The value in `content`. Raises UnpicklingError when it is not plain."""
    return _Plain(io.BytesIO(content)).load()


def gather_plain(value: Any, size: int) -> list[Any]:
    """The values of all ranks, in order of rank."""
    mine = torch.frombuffer(bytearray(pickle.dumps(value)), dtype=torch.uint8)
    lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(size)]
    distributed.all_gather(lengths, torch.tensor([mine.numel()]))
    padded = torch.zeros(max(int(length) for length in lengths), dtype=torch.uint8)
    padded[: mine.numel()] = mine
    contents = [torch.empty_like(padded) for _ in range(size)]
    distributed.all_gather(contents, padded)
    return [loads(content[: int(length)].numpy().tobytes()) for content, length in zip(contents, lengths, strict=True)]
