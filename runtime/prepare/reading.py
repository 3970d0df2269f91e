"""How the files of a source are read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """How the files of a source are read: its field of text, and the spec's bounds."""

    field: str = "text"
    max_document: int = 2**26
    max_expansion: float = 1000.0
    cuttable: bool = True  # whether the tokenizer gives a text's pieces the ids of the whole text
