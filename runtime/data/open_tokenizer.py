"""A run's tokenizer, whichever kind it is: its name says."""

from __future__ import annotations

from pathlib import Path

from .json_tokenizer import JsonTokenizer, open_json_tokenizer
from .tokenizer import Tokenizer

AnyTokenizer = Tokenizer | JsonTokenizer


def is_json(path: Path | str) -> bool:
    """Whether a path names a tokenizer.json and not a SentencePiece model."""
    return str(path).endswith(".json")


def open_tokenizer(path: Path) -> AnyTokenizer:
    """The tokenizer in a file. Raises InputError when there is none."""
    return open_json_tokenizer(path) if is_json(path) else Tokenizer(path)
