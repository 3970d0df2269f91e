"""What tensor-parallel ranks split must divide: query heads, key/value heads and the feed-forward width.

Each rank of a tensor-parallel group holds whole heads and an equal slice of the feed-forward block. A remainder would
leave some ranks with more work, and DeepSpeed's AutoTP refuses it or splits it wrongly.

Bad:

    model: llama2-70b
    parallel: {tensor: 16}

Good:

    model: llama2-70b
    parallel: {tensor: 8}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding
from .numbers import nearest_divisors

CODE = "TW302"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Parts of the model that the tensor-parallel ranks cannot share evenly."""
    model, ranks = loaded.spec.model, loaded.spec.parallel.tensor
    if ranks is None:
        return
    parts = {"heads": model.heads, "kv_heads": model.kv_heads, "ffn_size": model.ffn_size}
    uneven = [f"{name} {size}" for name, size in parts.items() if size % ranks]
    if uneven:
        remedy = f"Nearest that work: {nearest_divisors(math.gcd(*parts.values()), ranks)}."
        yield Finding("parallel.tensor", f"{' and '.join(uneven)} cannot be shared by {ranks} ranks", remedy)
