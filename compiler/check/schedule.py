"""The run is long enough for what is to happen in it.

That is at least one batch, a warm-up that ends before the run does, and the decay of a wsd schedule after it.

Bad:

    data: {tokens: 1M}
    training: {global_batch: 4M tokens}

Good:

    data: {tokens: 2T}
    training: {global_batch: 4M tokens}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.quantity import Amount
from ...spec.sections import DEFAULT_DECAY, Training
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
    elif warmup_share(loaded) + _decay_share(loaded) > 1:
        decay = (loaded.spec.training.optimizer.decay or DEFAULT_DECAY).text
        message = f"a decay of {decay} does not fit into the run after the warm-up"
        yield Finding("training.optimizer.decay", message, f"The run has {tokens / per_step:,.0f} steps.")


def warmup_share(loaded: Loaded) -> float:
    """The part of the run that the learning rate climbs."""
    return _share(loaded, loaded.spec.training.optimizer.warmup)


def _decay_share(loaded: Loaded) -> float:
    """The part of the run that a wsd schedule decays."""
    optimizer = loaded.spec.training.optimizer
    return _share(loaded, optimizer.decay or DEFAULT_DECAY) if optimizer.schedule == "wsd" else 0.0


def _share(loaded: Loaded, amount: Amount) -> float:
    """An amount as a part of the run."""
    if amount.unit == "share":
        return amount.value
    tokens = amount.value if amount.unit == "tokens" else _tokens_of(loaded.spec.training, amount.value)
    return tokens / loaded.spec.data.tokens


def _tokens_of(training: Training, steps: float) -> float:
    """Tokens of the first steps, at the batches that are asked for."""
    tokens = 0.0
    for stage in training.batch_warmup:
        per_step = training.in_sequences(stage.global_batch) * training.sequence_length
        here = min(steps, max(0.0, (stage.until - tokens) / per_step))
        tokens, steps = tokens + here * per_step, steps - here
    return tokens + steps * training.requested_sequences * training.sequence_length
