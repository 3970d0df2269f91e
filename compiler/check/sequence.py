"""Ulysses sequence parallelism shares out the sequence, then the heads, so both must divide over its ranks.

Every rank holds sequence_length / ranks tokens outside attention and heads / ranks heads inside it; key/value heads
are exchanged the same way.

Bad:

    model: llama2-70b
    parallel: {sequence: 16, zero: 3}

Good:

    model: llama2-70b
    parallel: {sequence: 8, zero: 3}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding
from .numbers import nearest_divisors

CODE = "TW306"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A sequence or heads that the sequence-parallel ranks cannot share evenly."""
    spec = loaded.spec
    ranks = spec.parallel.sequence
    if ranks is None:
        return
    tensor = spec.parallel.tensor or 1
    parts = {"sequence_length": spec.training.sequence_length, "kv_heads": max(1, spec.model.kv_heads // tensor)}
    uneven = [f"{name} {size}" for name, size in parts.items() if size % ranks]
    if uneven:
        remedy = f"Nearest that work: {nearest_divisors(math.gcd(*parts.values()), ranks)}."
        yield Finding("parallel.sequence", f"{' and '.join(uneven)} cannot be shared by {ranks} ranks", remedy)
