"""The tokenizer and the model have the same vocabulary.

A tokenizer with more pieces would index past the embedding; one with fewer leaves rows that are never trained.

Bad:

    model: llama2-7b
    tokenizer: {vocab_size: 50000}

Good:

    model: llama2-7b
    tokenizer: {vocab_size: 32000}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW307"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Two different vocabulary sizes."""
    pieces, rows = loaded.spec.tokenizer.vocab_size, loaded.spec.model.vocab_size
    if pieces != rows:
        message = f"the tokenizer has {pieces} pieces and the model's embedding {rows} rows"
        yield Finding("tokenizer.vocab_size", message, f"Write `vocab_size: {rows}` here, or {pieces} in `model`.")
