"""ZeRO stages that train wrongly, or not at all, are refused.

Measured with DeepSpeed 0.19.8: stage 0 misreports the gradient norm and ignores fp32 accumulation; only stage 3 can
keep a copy of the weights per group of ranks (hpZ), the groups are equal, and under tensor parallelism they mix ranks
that hold different weights: the run trains, wrongly. Sequence parallelism is right with stages 1 to 3, since the
training loop exchanges the heads itself and does not use DeepSpeed's.

Bad:

    parallel: {zero: 0}

Good:

    parallel: {zero: 1}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding
from .numbers import nearest_divisors

CODE = "TW313"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Combinations of ZeRO and the rest of the layout that are wrong."""
    parallel = loaded.spec.parallel
    stage = parallel.zero
    if stage == 0:
        message = "ZeRO stage 0 misreports gradient norms and ignores fp32 accumulation"
        yield Finding("parallel.zero", message, "Write `zero: 1`: the same numbers, and less memory.")
    ranks = max(1, loaded.spec.cluster.gpus // (parallel.tensor or 1))
    if parallel.shard_group and ranks % parallel.shard_group:
        message = f"shard groups of {parallel.shard_group} do not divide {ranks} ranks"
        yield Finding(
            "parallel.shard_group", message, f"Nearest that work: {nearest_divisors(ranks, parallel.shard_group)}."
        )
    if parallel.shard_group and stage in (1, 2):
        message = f"ZeRO-{stage} has no shard groups"
        yield Finding("parallel.shard_group", message, "Write `zero: 3`, or leave `shard_group` out.")
    if parallel.shard_group and (parallel.tensor or 1) > 1:
        message = "shard groups mix up the weights of tensor-parallel ranks"
        yield Finding("parallel.shard_group", message, "Leave `shard_group` out, or write `tensor: 1`.")
