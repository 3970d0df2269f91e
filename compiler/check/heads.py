"""Heads have one even size, hidden_size / heads or head_size, and query heads divide over key/value heads.

Rotary positions turn pairs of a head's elements, so its size is even. Grouped-query attention gives each key/value head
the same number of query heads.

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
    if model.head_size is None and model.hidden_size % model.heads:
        message = f"{model.heads} heads do not divide hidden_size {model.hidden_size}"
        near = nearest_divisors(model.hidden_size, model.heads)
        yield Finding("model.heads", message, f"Nearest that work: {near}. Or write `head_size`.")
    elif model.shape.head_size % 2:
        message = f"a head of {model.shape.head_size} elements is odd; rotary positions turn pairs"
        key = "heads" if model.head_size is None else "head_size"
        yield Finding(f"model.{key}", message, "Choose heads of an even size.")
    if model.heads % model.kv_heads:
        message = f"{model.kv_heads} key/value heads do not divide {model.heads} heads"
        yield Finding("model.kv_heads", message, f"Nearest that work: {nearest_divisors(model.heads, model.kv_heads)}.")
