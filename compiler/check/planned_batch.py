"""The planned layout makes the global batch that was asked for, within 5%.

A batch said in tokens is a target. The planner takes the fastest layout that makes it within 5%; where none does, the
nearest batch is not what was asked, so the spec must say which one it means.

Bad:

    cluster: {preset: meta-rsc, gpus: 776}
    parallel: {tensor: 1, sequence: 1, pipeline: 1}
    training: {sequence_length: 4096, global_batch: 4M tokens}

Good:

    cluster: {preset: meta-rsc, gpus: 1024}
    parallel: auto
    training: {sequence_length: 4096, global_batch: 4M tokens}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ..load import Loaded
from ..plan.layout_search import NoLayoutError
from .finding import Finding
from .planned_layout import layout_of

CODE = "TW317"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A planned batch that is further off than a note can say."""
    training = loaded.spec.training
    asked = training.requested_sequences
    try:
        layout = layout_of(loaded)
    except NoLayoutError:
        return  # TW315 says why there is none
    off = layout.global_batch / asked - 1
    if abs(off) > figures("sanity")["batch_tolerance"]:
        message = f"{training.global_batch.text} become {layout.global_batch} sequences ({off:+.1%}) in the best layout"
        per_round = layout.data * layout.micro_batch
        near = sorted({max(1, asked // per_round) * per_round, (asked // per_round + 1) * per_round})
        options = " or ".join(f"{n:.0f} sequences ({n * training.sequence_length:,.0f} tokens)" for n in near)
        yield Finding("training.global_batch", message, f"Say which: {options}; or use another number of devices.")
