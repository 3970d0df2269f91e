"""ZeRO stages that train wrongly, or not at all, are refused.

Measured with DeepSpeed 0.19.8: stage 0 misreports the gradient norm and ignores fp32 accumulation; sequence
parallelism below stage 3 leaves ranks with different weights or clips too hard; only stage 3 can keep a copy of the
weights per group of ranks (hpZ), and the groups are equal.

Bad:

    parallel: {zero: 1, sequence: 4}

Good:

    parallel: {zero: 3, sequence: 4}
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
    elif stage is not None and stage < 3 and (parallel.sequence or 1) > 1:
        message = f"sequence parallelism with ZeRO-{stage} leaves ranks with different weights"
        yield Finding("parallel.zero", message, "Write `zero: 3`, or `sequence: 1`.")
    ranks = max(1, loaded.spec.cluster.gpus // (parallel.tensor or 1))
    if parallel.shard_group and ranks % parallel.shard_group:
        message = f"shard groups of {parallel.shard_group} do not divide {ranks} ranks"
        yield Finding(
            "parallel.shard_group", message, f"Nearest that work: {nearest_divisors(ranks, parallel.shard_group)}."
        )
    if parallel.shard_group and stage in (1, 2):
        message = f"ZeRO-{stage} has no shard groups"
        yield Finding("parallel.shard_group", message, "Write `zero: 3`, or leave `shard_group` out.")
