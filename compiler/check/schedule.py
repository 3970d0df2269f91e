"""The run is long enough for what is to happen in it.

That is at least one batch, and a warm-up that ends before the run does.

Bad:

    data: {tokens: 1M}
    training: {global_batch: 4M tokens}

Good:

    data: {tokens: 2T}
    training: {global_batch: 4M tokens}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW312"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A run shorter than one step or than its warm-up."""
    tokens = loaded.spec.data.tokens
    per_step = loaded.spec.training.requested_sequences * loaded.spec.training.sequence_length
    if tokens < per_step:
        message = f"{tokens:,} tokens are less than one batch of {per_step:,.0f}"
        yield Finding("data.tokens", message, "Train on more tokens, or make `global_batch` smaller.")
    elif warmup_share(loaded) >= 1:
        message = f"the warm-up ({loaded.spec.training.optimizer.warmup.text}) is as long as the run"
        yield Finding("training.optimizer.warmup", message, f"The run has {tokens / per_step:,.0f} steps.")


def warmup_share(loaded: Loaded) -> float:
    """The part of the run that the learning rate climbs."""
    warmup = loaded.spec.training.optimizer.warmup
    per_step = loaded.spec.training.requested_sequences * loaded.spec.training.sequence_length
    tokens = warmup.value if warmup.unit == "tokens" else warmup.value * per_step
    return tokens / loaded.spec.data.tokens
