"""The warm-up takes at most a fifth of the run.

Published runs warm up for 0.1% to 5% of their steps. A longer warm-up is often a run that was made shorter for a test
and kept its 2000 steps.

Bad:

    data: {tokens: 10B}
    training: {global_batch: 4M tokens, optimizer: {learning_rate: 3e-4, warmup: 2000 steps}}

Good:

    data: {tokens: 10B}
    training: {global_batch: 4M tokens, optimizer: {learning_rate: 3e-4, warmup: 100 steps}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ..load import Loaded
from .finding import Finding
from .schedule import warmup_share

CODE = "TW402"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A warm-up that takes much of the run, but not all of it, which TW312 refuses."""
    share = warmup_share(loaded)
    if figures("sanity")["warmup"] < share < 1:
        warmup = loaded.spec.training.optimizer.warmup.text
        message = f"the warm-up of {warmup} takes {share:.0%} of the run"
        yield Finding("training.optimizer.warmup", message, "Published runs use 0.1% to 5%.")
