"""Weights that a run begins from keep their tokenizer.

A row of the embedding belongs to a piece of the vocabulary. With a freshly trained tokenizer the rows mean nothing, and
the run begins worse than from random weights.

Bad:

    model: {preset: llama2-7b, init_from: imported}

Good:

    model: {preset: llama2-7b, init_from: imported}
    tokenizer: {vocab_size: 32000, path: imported/tokenizer.model}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW320"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Initial weights beside a tokenizer that is yet to be trained."""
    source = loaded.spec.model.init_from
    if source is not None and loaded.spec.tokenizer.path is None:
        message = "the weights come with a tokenizer, and the spec trains another one"
        yield Finding(
            "model.init_from", message, f"Write tokenizer.path: {source}/tokenizer.model, or the tokenizer.json there."
        )
