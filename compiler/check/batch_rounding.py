"""What a batch said in tokens becomes: a whole number of sequences.

4M tokens at 4,096 are 976.56 sequences; the layout rounds them to whole rounds of all ranks. The note says to what, so
that a paper's figure and the run's are not confused.

Bad:

    training: {sequence_length: 4096, global_batch: 4M tokens}
    cluster: {preset: meta-rsc, gpus: 1024}

Good:

    training: {sequence_length: 4096, global_batch: 1024 sequences}
    cluster: {preset: meta-rsc, gpus: 1024}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ..load import Loaded
from ..plan.layout_search import NoLayoutError
from .finding import Finding
from .planned_layout import layout_of

CODE = "TW502"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A batch that is rounded, by less than what TW317 refuses."""
    training = loaded.spec.training
    asked = training.requested_sequences
    try:
        becomes = layout_of(loaded).global_batch
    except NoLayoutError:
        return  # TW315 says why there is no layout
    off = becomes / asked - 1
    if 0 < abs(off) <= figures("sanity")["batch_tolerance"]:
        tokens = becomes * training.sequence_length
        message = f"{training.global_batch.text} become {becomes} sequences = {tokens:,} tokens ({off:+.1%})"
        yield Finding("training.global_batch", message, f"Write `{becomes} sequences` to say so.")
