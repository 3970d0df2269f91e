"""Parts of a cost that many layouts share, each computed once for all layouts that agree in what it reads.

A search asks about hundreds of layouts, and most differ in what a given part does not read: the time of a layer is the
same for every ZeRO stage, the reduction of gradients for every micro batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from operator import attrgetter
from typing import TypeVar

from .case import StepCase

MICRO = ("tensor", "sequence", "context", "micro_batch", "megatron_sequence")  # one layer and micro batch on one rank
STAGES = ("tensor", "pipeline", "uneven_stages")
STATES = (*STAGES, "sequence", "context", "data", "zero", "shard_group", "offload")  # weights and what belongs to them

Result = TypeVar("Result")


def once_for(*degrees: str) -> Callable[[Callable[[StepCase], Result]], Callable[[StepCase], Result]]:
    """Remember in the question's memo a function of a case that reads no other degrees of its layout than these."""
    read = attrgetter(*degrees)

    def remembered(part: Callable[[StepCase], Result]) -> Callable[[StepCase], Result]:
        @wraps(part)
        def once(case: StepCase) -> Result:
            key = (part, read(case.layout))
            if key not in case.memo:
                case.memo[key] = part(case)
            return case.memo[key]

        return once

    return remembered
