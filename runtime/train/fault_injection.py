"""Faults on purpose, for tests: TRAINWRIGHT_INJECT="nan rank=1 step=3; kill rank=0 step=7".

Unset (always, outside tests) this costs one dictionary look-up a step. Every fault that fires is noted in the file
TRAINWRIGHT_INJECTED, so that a test can distinguish a guard that held from a fault that never came.
"""

from __future__ import annotations

import math
import os
import signal
from functools import cache
from pathlib import Path

from torch import Tensor, nn

DEADLY = {"kill": signal.SIGKILL, "hang": signal.SIGSTOP, "crash": signal.SIGSEGV}
LOSS_FACTORS = {"nan": math.nan, "inf": math.inf, "huge": 1e30}


def fires(kind: str, rank: int, step: int) -> bool:
    """Whether the fault `kind` is due on this rank in this step; noted when it is."""
    if (kind, rank, step) not in _faults():
        return False
    if note := os.environ.get("TRAINWRIGHT_INJECTED"):
        with Path(note).open("a") as file:
            file.write(f"{kind} rank={rank} step={step}\n")
    return True


def kill_if_due(rank: int, step: int) -> None:
    """Kill, stop or crash this process when that is due."""
    for kind, number in DEADLY.items():
        if fires(kind, rank, step):
            os.kill(os.getpid(), number)


def corrupt_loss_if_due(loss: Tensor, rank: int, batch: int) -> Tensor:
    """The loss, made no number or raised by 10 nats when due in this batch (from 1): going back leaves it out."""
    for kind, factor in LOSS_FACTORS.items():
        if fires(kind, rank, batch):
            return loss * factor
    return loss + 10.0 if fires("spike", rank, batch) else loss


def flip_bit_if_due(module: nn.Module, rank: int, step: int) -> None:
    """Flip the lowest bit of one weight of the last parameter, or of the last norm, when that is due."""
    for kind, dimensions in (("flip", (1, 2)), ("flip-norm", (1,))):
        if not fires(kind, rank, step):
            continue
        weight = [p for p in module.parameters() if p.ndim in dimensions][-1].data.view(-1)
        integers = weight.view({2: Tensor.short, 4: Tensor.int}[weight.element_size()](weight).dtype)
        integers[0] ^= 1


@cache
def _faults() -> set[tuple[str, int, int]]:
    faults: set[tuple[str, int, int]] = set()
    for text in filter(None, os.environ.get("TRAINWRIGHT_INJECT", "").split(";")):
        kind, *options = text.split()
        numbers = dict(option.split("=") for option in options)
        faults.add((kind, int(numbers["rank"]), int(numbers["step"])))
    return faults
