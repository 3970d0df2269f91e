"""Watching the numbers: loss spikes, and state that must be equal on all ranks but is not.

Non-finite gradients are found by DeepSpeed inside its step, on all ranks alike; `step.py` names their origin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import torch
from torch import Tensor, distributed

MEDIAN_WINDOW = 50  # losses whose median a spike is measured against
MIN_LOSSES = 10  # fewer losses than this say nothing yet
CHECK_EVERY = 50  # steps between comparisons of replicated state

_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def is_spike(loss: float, recent: Sequence[float], threshold: float) -> bool:
    """Whether `loss` lies more than `threshold` nats above the median of the `recent` losses."""
    return len(recent) >= MIN_LOSSES and loss - median(recent) > threshold


def fingerprint(tensor: Tensor) -> Tensor:
    """The sum of the tensor's bit patterns as integers, modulo 2**64: changes whenever any single bit does."""
    return tensor.detach().view(_INTEGERS[tensor.element_size()]).sum(dtype=torch.int64)


def find_replica_mismatch(parameters: Mapping[str, Tensor], group: Any) -> list[tuple[str, list[int]]]:
    """Parameters whose bits are not the same on all ranks of `group` (each of which holds a replica).

    Returns (name, ranks within the group that differ from most); empty when all agree. Partitioned parameters
    (ZeRO-3) have no replica to compare with and are left out.
    """
    names = [name for name, p in parameters.items() if p.numel()]
    if not names:
        return []
    prints = torch.stack([fingerprint(parameters[name]) for name in names]).cpu()
    replicas = [torch.empty_like(prints) for _ in range(distributed.get_world_size(group))]
    distributed.all_gather(replicas, prints, group=group)
    table = torch.stack(replicas)
    usual = table.mode(dim=0).values
    wrong = table != usual
    return [(names[i], wrong[:, i].nonzero().flatten().tolist()) for i in wrong.any(dim=0).nonzero().flatten().tolist()]
