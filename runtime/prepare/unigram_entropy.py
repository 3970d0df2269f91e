"""The bar that a trained model must clear: what knowing only how often each token occurs would score."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ...spec.dataset_index import SourcePart

_AT_ONCE = 2**22  # tokens: counting takes 8 bytes for each


def unigram_entropy(folder: Path, parts: Iterable[SourcePart], dtype: str, vocab_size: int) -> float:
    """Entropy (nats a token) of the token frequencies in shards: the best loss without context (Shannon 1951, F_1)."""
    counts = np.zeros(vocab_size, np.int64)
    for part in parts:
        for shard in part.shards:
            ids = np.memmap(folder / shard.file, np.dtype(dtype), "r")
            for start in range(0, len(ids), _AT_ONCE):
                counts += np.bincount(ids[start : start + _AT_ONCE], minlength=vocab_size)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
