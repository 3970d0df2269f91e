"""The learning rate at the end is written once, and is not above the peak.

`final_learning_rate` is a share of the peak, `min_learning_rate` the rate itself, as other frameworks' `min_lr`.

Bad:

    training: {optimizer: {learning_rate: 3e-4, min_learning_rate: 3e-3}}

Good:

    training: {optimizer: {learning_rate: 3e-4, min_learning_rate: 3e-5}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW321"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Two final rates, or one above the peak."""
    optimizer, path = loaded.spec.training.optimizer, "training.optimizer.min_learning_rate"
    lowest, peak = optimizer.min_learning_rate, optimizer.learning_rate
    if lowest is None:
        return
    # The default stands in every spec.lock.yaml, and says nothing.
    if optimizer.final_learning_rate != type(optimizer).model_fields["final_learning_rate"].default:
        yield Finding(path, "The final learning rate is written twice.", "Leave out `final_learning_rate`.")
    if lowest > peak:
        yield Finding(path, f"{lowest:g} is above the peak learning rate of {peak:g}.", "Write a lower rate.")
