"""The bar that a trained model must clear: what knowing only how often each token occurs would score."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..data.shards import SourcePart


def unigram_entropy(folder: Path, parts: Iterable[SourcePart], dtype: str, vocab_size: int) -> float:
    """Entropy (nats a token) of the token frequencies in shards: the best loss without context (Shannon 1951, F_1)."""
    counts = np.zeros(vocab_size, np.int64)
    for part in parts:
        for shard in part.shards:
            counts += np.bincount(np.memmap(folder / shard.file, np.dtype(dtype), "r"), minlength=vocab_size)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
