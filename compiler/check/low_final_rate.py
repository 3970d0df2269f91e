"""The final learning rate is not mistaken for a share of the peak.

`final_learning_rate: 3e-5` beside a peak of 3e-4 means 3e-5 of it, a rate of 9e-9. Whoever carries over another
framework's `min_lr` means the rate itself, which is `min_learning_rate`. Zero is fine: then the rate decays to nothing.

Bad:

    training: {optimizer: {learning_rate: 3e-4, final_learning_rate: 3e-5}}

Good:

    training: {optimizer: {learning_rate: 3e-4, min_learning_rate: 3e-5}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ..load import Loaded
from .finding import Finding

CODE = "TW411"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A share so small that it was rather meant as a rate."""
    optimizer = loaded.spec.training.optimizer
    share, least = optimizer.final_learning_rate, figures("sanity")["final_learning_rate"]
    if optimizer.min_learning_rate is None and 0 < share < least:
        rate = share * optimizer.learning_rate
        message = f"{share:g} is a share of the peak: the run ends at a rate of {rate:.2g}"
        help_ = f"If {share:g} is the rate itself, write min_learning_rate: {share:g}."
        yield Finding("training.optimizer.final_learning_rate", message, help_)
