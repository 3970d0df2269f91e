"""Ulysses sequence parallelism splits the sequence, then the heads, so both must divide over its ranks.

Every rank holds sequence_length / ranks tokens outside attention and heads / ranks heads inside it, of the heads that
tensor parallelism leaves it. Key/value heads need not divide: they are repeated until they do.

Bad:

    model: llama1-33b
    parallel: {sequence: 8}

Good:

    model: llama1-33b
    parallel: {sequence: 4}
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
    heads = "heads" if tensor == 1 else "heads / tensor"
    parts = {"sequence_length": spec.training.sequence_length, heads: max(1, spec.model.heads // tensor)}
    uneven = [f"{name} {size}" for name, size in parts.items() if size % ranks]
    if uneven:
        remedy = f"Nearest that work: {nearest_divisors(math.gcd(*parts.values()), ranks)}."
        yield Finding("parallel.sequence", f"{' and '.join(uneven)} cannot be shared by {ranks} ranks", remedy)
