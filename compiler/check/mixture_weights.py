"""The weights of a mixture are written for all sources or for none, and each gives its source some samples.

Without weights a source gives as much as it has: every text is seen equally often. A mixture of both would compare
numbers with tokens. A source gives whole samples, and the pattern in which sources take turns is 2^20 samples long.

Bad:

    data: {train: [{path: web/*.jsonl, weight: 3}, {path: books/*.txt}]}

Good:

    data: {train: [{path: web/*.jsonl, weight: 3}, {path: books/*.txt, weight: 1}]}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.mixture import LONGEST_PERIOD, shares
from ..load import Loaded
from .finding import Finding

CODE = "TW319"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Weights that are missing beside others, or too small to be met."""
    weights = [source.weight for source in loaded.spec.data.train]
    missing = [index for index, weight in enumerate(weights) if weight is None]
    if missing and len(missing) < len(weights):
        for index in missing:
            message = "this source has no weight, and others have one"
            yield Finding(f"data.train.{index}.path", message, "Write a weight here too, or remove the others.")
    elif not missing:
        for index, share in enumerate(shares(weights, ())):
            if share * LONGEST_PERIOD < 1:
                message = f"weight {weights[index]:g} is less than one sample in {LONGEST_PERIOD:,}"
                yield Finding(f"data.train.{index}.weight", message, "Raise the weight, or remove the source.")
