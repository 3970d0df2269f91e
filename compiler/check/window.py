"""A pattern of layers with full attention leaves some layers the sliding window.

`full_attention_every: n` gives every n-th layer all tokens: with 1 the window is in no layer, and without a
`sliding_window` the key has nothing to except.

Bad:

    model: {preset: llama2-7b, full_attention_every: 4}

Good:

    model: {preset: llama2-7b, sliding_window: 1024, full_attention_every: 4}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW329"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A pattern of layers that leaves no layer a window."""
    model = loaded.spec.model
    if model.full_attention_every is None:
        return
    if model.sliding_window is None:
        message = "every layer attends to all tokens: there is no sliding_window"
        yield Finding("model.full_attention_every", message, "Write sliding_window, or remove it.")
    elif model.full_attention_every == 1:
        message = "every layer attends to all tokens, and sliding_window is in none"
        yield Finding("model.full_attention_every", message, "Write 2 or more, or remove sliding_window.")
