"""What a batch said in tokens becomes: a whole number of sequences.

4M tokens at 4,096 are 976.56 sequences; the layout rounds them to whole rounds of all ranks. The note says to what, so
that a paper's figure and the run's can be told apart.

Bad:

    training: {sequence_length: 4096, global_batch: 4M tokens}
    parallel: {data: 1024, micro_batch: 1}

Good:

    training: {sequence_length: 4096, global_batch: 1024 sequences}
    parallel: {data: 1024, micro_batch: 1}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import facts
from ..load import Loaded
from .batch import sequences_asked
from .finding import Finding

CODE = "TW502"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A batch in tokens that is no whole number of rounds, where the ranks are known."""
    training, parallel = loaded.spec.training, loaded.spec.parallel
    asked, per_round = sequences_asked(loaded), (parallel.data or 1) * (parallel.micro_batch or 1)
    if training.global_batch.unit != "tokens" or parallel.data is None or asked % per_round == 0:
        return
    becomes = max(1, round(asked / per_round)) * per_round
    off = becomes / asked - 1
    if abs(off) <= facts("sanity")["batch"]["tolerance"]:
        tokens = becomes * training.sequence_length
        message = f"{training.global_batch.text} become {becomes} sequences = {tokens:,} tokens ({off:+.1%})"
        yield Finding("training.global_batch", message, f"Write `{becomes} sequences` to say so.")
