"""What the memory of a device held when it ran out."""

from __future__ import annotations

import json
import sys
from contextlib import suppress

import torch

from ...spec.run_folder import RunFolder
from ..launch.exit_status import rank_here


def keep_memory_snapshot(run: RunFolder) -> None:
    """Write every segment and block of the allocator, and its totals in bytes, into the run folder; never fails."""
    rank = rank_here()
    path = run.memory_snapshot(rank)
    with suppress(OSError, RuntimeError):  # the fault that is under way says more
        content = {"totals": torch.cuda.memory_stats(), "segments": torch.cuda.memory_snapshot()}
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        sys.stderr.write(f"trainwright: rank {rank}: what its memory held is in {path}\n")
