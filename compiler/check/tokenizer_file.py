"""A given tokenizer is of a known kind, and what belongs to it is beside it.

A SentencePiece model ends in .model. A tokenizer.json of Hugging Face's tokenizers needs its tokenizer_config.json,
which says what ends a document. A file of tiktoken holds the ranks of a BPE alone: neither the pattern that splits a
text before it nor the special tokens, so the ids of a text do not follow from it.

Bad:

    tokenizer: {vocab_size: 128256, path: llama3/tokenizer.bin}

Good:

    tokenizer: {vocab_size: 128256, path: llama3/tokenizer.json}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...spec.foreign_files import open_foreign
from ..load import Loaded
from .finding import Finding

CODE = "TW324"
CONFIG = "tokenizer_config.json"
_RANK = re.compile(rb"[A-Za-z0-9+/]+={0,2} \d+\r?\n")  # a line of a file of tiktoken: a token in base64, and its rank
_FIRST_BYTES = 4096
_CONVERT = (
    "Name the tokenizer.json of the same model, or make one of its encoding with "
    "convert_tiktoken_to_fast (transformers.integrations.tiktoken)."
)


def check(loaded: Loaded) -> Iterator[Finding]:
    """Paths with another ending, and a tokenizer.json that is here without its configuration."""
    given = loaded.spec.tokenizer.path
    if given is None:
        return
    path = loaded.path.parent / given
    if path.suffix == ".tiktoken" or _holds_ranks(path):
        message = f"{given!r} is a file of tiktoken: ranks alone, without what splits a text and without special tokens"
        yield Finding("tokenizer.path", message, _CONVERT)
    elif path.suffix not in {".model", ".json"}:
        message = f"{given!r} is neither a SentencePiece .model nor a tokenizer.json"
        yield Finding("tokenizer.path", message, "Name one of the two.")
    elif path.suffix == ".json" and path.is_file() and not path.with_name(CONFIG).is_file():
        message = f"there is no {CONFIG} beside {given!r}"
        yield Finding("tokenizer.path", message, "Put it there: its eos_token ends the documents.")


def _holds_ranks(path: Path) -> bool:
    """Whether a file that is here is tiktoken's, whatever its name: Llama 3's is tokenizer.model."""
    with suppress(OSError), open_foreign(path) as file:
        return _RANK.match(file.read(_FIRST_BYTES)) is not None
    return False
