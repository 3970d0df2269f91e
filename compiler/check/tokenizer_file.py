"""A given tokenizer is of a known kind, and what belongs to it is beside it.

A SentencePiece model ends in .model. A tokenizer.json of Hugging Face's tokenizers needs its tokenizer_config.json,
which says what ends a document.

Bad:

    tokenizer: {vocab_size: 128256, path: llama3/tokenizer.bin}

Good:

    tokenizer: {vocab_size: 128256, path: llama3/tokenizer.json}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW324"
CONFIG = "tokenizer_config.json"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Paths with another ending, and a tokenizer.json that is here without its configuration."""
    given = loaded.spec.tokenizer.path
    if given is None:
        return
    path = loaded.path.parent / given
    if path.suffix not in {".model", ".json"}:
        message = f"{given!r} is neither a SentencePiece .model nor a tokenizer.json"
        yield Finding("tokenizer.path", message, "Name one of the two.")
    elif path.suffix == ".json" and path.is_file() and not path.with_name(CONFIG).is_file():
        message = f"there is no {CONFIG} beside {given!r}"
        yield Finding("tokenizer.path", message, "Put it there: its eos_token ends the documents.")
