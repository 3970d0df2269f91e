"""The same bits each time on a GPU: what torch is asked for. The rest is in env.sh (compiler/render/env.py)."""

from __future__ import annotations

import torch
from torch.utils import deterministic


def use_deterministic_kernels() -> None:
    """Let torch choose kernels that add in one order, among them those of attention's backward pass, or raise.

    It would also fill fresh memory with NaN, so that reading what was never written is the same each time. Nothing here
    reads such memory, and a pass over all activations is not free.
    """
    torch.use_deterministic_algorithms(mode=True)
    setattr(deterministic, "fill_uninitialized_memory", False)  # noqa: B010 - a property that its stubs do not have
