"""The global batch is a whole number of sequences that the data-parallel ranks share evenly, near what was asked.

Each step runs data x micro_batch sequences, some whole number of times. A batch said in tokens is a target that may
be missed by at most 5%; a batch said in sequences is exact.

Bad:

    cluster: {preset: meta-rsc, gpus: 2000}
    parallel: {data: 2000, micro_batch: 1}
    training: {sequence_length: 4096, global_batch: 4M tokens}

Good:

    cluster: {preset: meta-rsc, gpus: 2048}
    parallel: {data: 1024, tensor: 2, micro_batch: 1}
    training: {sequence_length: 4096, global_batch: 4M tokens}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ..load import Loaded
from .finding import Finding

CODE = "TW304"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A batch that is not whole, or too far from the nearest one that the ranks can share."""
    training, parallel = loaded.spec.training, loaded.spec.parallel
    asked, per_round = training.requested_sequences, (parallel.data or 1) * (parallel.micro_batch or 1)
    exact = training.global_batch.unit == "sequences"
    below = max(1, int(asked // per_round)) * per_round
    above = below if asked % per_round == 0 and asked >= per_round else (int(asked // per_round) + 1) * per_round
    off = min(abs(below - asked), abs(above - asked)) / asked
    if off > (0 if exact else figures("sanity")["batch_tolerance"]):
        length = training.sequence_length
        near = " or ".join(f"{n} sequences ({n * length:,} tokens)" for n in sorted({below, above}))
        who = f"{parallel.data or 1} data-parallel ranks x {parallel.micro_batch or 1} sequences"
        yield Finding(
            "training.global_batch",
            f"{training.global_batch.text} are {asked:.6g} sequences of {length}, which {who} cannot share",
            f"Nearest that work: {near}.",
        )
