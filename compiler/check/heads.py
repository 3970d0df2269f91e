"""The width of the model is split evenly over its heads, and query heads evenly over key/value heads.

Every head has the same size, hidden_size / heads, and rotary positions turn pairs of its elements, so that size is
even. Grouped-query attention gives each key/value head the same number of query heads.

Bad:

    model: {preset: llama2-7b, heads: 30}

Good:

    model: {preset: llama2-7b, heads: 32, kv_heads: 8}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding
from .numbers import nearest_divisors

CODE = "TW301"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Heads that do not fit the width or the key/value heads."""
    model = loaded.spec.model
    if model.hidden_size % model.heads:
        message = f"{model.heads} heads do not divide hidden_size {model.hidden_size}"
        yield Finding("model.heads", message, f"Nearest that work: {nearest_divisors(model.hidden_size, model.heads)}.")
    elif (model.hidden_size // model.heads) % 2:
        message = f"a head of {model.hidden_size // model.heads} elements is odd; rotary positions turn pairs"
        yield Finding("model.heads", message, "Choose heads so that hidden_size / heads is even.")
    if model.heads % model.kv_heads:
        message = f"{model.kv_heads} key/value heads do not divide {model.heads} heads"
        yield Finding("model.kv_heads", message, f"Nearest that work: {nearest_divisors(model.heads, model.kv_heads)}.")
