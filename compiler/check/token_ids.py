"""Token files hold ids of the run's own tokenizer.

An id means a row of the embedding. Ids of another vocabulary would train rows at random, and a document would end where
none does. A tokenizer that the run trains itself gives its pieces ids of its own.

Bad:

    data: {train: [{path: tokens/*.bin, token_ids: {vocab_size: 50257, end_of_document: 50256, dtype: uint16}}]}
    tokenizer: {vocab_size: 32000}

Good:

    data: {train: [{path: tokens/*.bin, token_ids: {vocab_size: 32000, end_of_document: 2, dtype: uint16}}]}
    tokenizer: {vocab_size: 32000, path: tokenizer.model}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.sections import TokenIds, Tokenizer
from ..load import Loaded
from ..plan.corpus_tokens import STDLIB
from .finding import Finding

CODE = "TW323"
UINT16_IDS = 2**16


def check(loaded: Loaded) -> Iterator[Finding]:
    """Sources of ids that cannot be those of the tokenizer, and keys that mean nothing beside them."""
    for source, where in zip(loaded.spec.data.sources, loaded.spec.data.keys, strict=False):
        if source.token_ids is None:
            continue
        yield from _unfit(f"{where}.token_ids", source.token_ids, loaded.spec.tokenizer)
        if source.path == STDLIB:
            yield Finding(f"{where}.path", f"{STDLIB} is text, not token ids", "Leave token_ids out.")
        if f"{where}.field" in loaded.places:
            yield Finding(f"{where}.field", "token ids are in no field", "Leave field out.")


def _unfit(where: str, ids: TokenIds, tokenizer: Tokenizer) -> Iterator[Finding]:
    if tokenizer.path is None:
        message = "the files hold ids of a tokenizer, and the spec trains another one"
        yield Finding(f"{where}.vocab_size", message, "Name the tokenizer that made them: tokenizer.path.")
    if ids.vocab_size != tokenizer.vocab_size:
        message = f"the ids are of {ids.vocab_size} pieces, and the tokenizer has {tokenizer.vocab_size}"
        yield Finding(f"{where}.vocab_size", message, "Name the tokenizer that made them: tokenizer.path.")
    if ids.end_of_document >= ids.vocab_size:
        message = f"the id {ids.end_of_document} is beyond a vocabulary of {ids.vocab_size}"
        yield Finding(f"{where}.end_of_document", message, "Write the id of the tokenizer's end of a document.")
    if ids.dtype == "uint16" and ids.vocab_size > UINT16_IDS:
        message = f"uint16 does not hold the ids of {ids.vocab_size} pieces"
        yield Finding(f"{where}.dtype", message, "Write uint32.")
