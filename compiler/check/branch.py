"""A branch begins with a checkpoint that is there, and trains further than it.

`extends_run: RUN@STEP` takes weights, optimizer and place in the data from a checkpoint of another run. Model, data and
sequence length are that run's; `data.tokens` counts from its start, so it must be more than the checkpoint has seen.

Bad:

    extends_run: {run: runs/trunk, step: 1000, tokens: 10T}

Good:

    extends_run: {run: runs/trunk, step: 1000, tokens: 1M}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW327"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A branch that has nothing left to train, or also begins from other weights."""
    spec, branch = loaded.spec, loaded.spec.extends_run
    if branch is None:
        return
    if branch.tokens >= spec.data.tokens:
        message = f"the checkpoint has seen {branch.tokens:,} tokens, and the run ends at {spec.data.tokens:,}"
        yield Finding("data.tokens", message, "Count from the start of the run that is extended: write more.")
    if spec.model.init_from is not None:
        message = "a branch begins with the weights of its checkpoint, not with other ones"
        yield Finding("model.init_from", message, "Remove one of the two.")
