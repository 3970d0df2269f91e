"""A batch warm-up grows up to the global batch, and ends before the run does.

Its stages are in order: each has a larger batch than the one before, and ends later.

Bad:

    training: {batch_warmup: [{global_batch: 64M tokens, until: 1B}]}

Good:

    training: {batch_warmup: [{global_batch: 1M tokens, until: 1B}]}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW325"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A stage whose batch or end is not more than that before it, or not less than the run's."""
    training, tokens = loaded.spec.training, loaded.spec.data.tokens
    batch, end = 0.0, 0
    for index, stage in enumerate(training.batch_warmup):
        path, own = f"training.batch_warmup.{index}", training.in_sequences(stage.global_batch)
        if not batch < own < training.requested_sequences:
            least = f"more than {batch:g} and " if batch else ""
            message = f"a batch of {stage.global_batch.text} is not between the batches before and after it"
            yield Finding(
                f"{path}.global_batch", message, f"Write {least}less than {training.requested_sequences:g} sequences."
            )
        if not end < stage.until < tokens:
            before = f", and the one before it after {end:,}" if end else ""
            message = f"the stage ends after {stage.until:,} tokens{before}"
            yield Finding(f"{path}.until", message, f"Write more than {end:,} and less than the run's {tokens:,}.")
        batch, end = own, stage.until
