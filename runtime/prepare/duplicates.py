"""Exact duplicates, by the 64-bit hash of a document: the first one is kept, the others are counted.

Two different documents of a billion share a hash by a chance of one in forty. All hashes are in memory, about a hundred
bytes for each document.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .tokenize import Encoded, Piece


class Duplicates:
    """What was seen so far; `counts` are the documents left out of each source."""

    def __init__(self, sources: int) -> None:
        self.counts = [0] * sources
        self._seen: set[int] = set()
        self._dropping = False  # the rest of a long document

    def drop(self, source: int, encoded: Encoded) -> Encoded:
        """`encoded` without the documents that came before."""
        sides = (self._drop(source, piece) for piece in (encoded.train, encoded.validation))
        train, validation = sides
        return replace(encoded, train=train, validation=validation)

    def _drop(self, source: int, piece: Piece) -> Piece:
        new = np.array([self._is_new(number, first=piece.first) for number in piece.numbers.tolist()], dtype=bool)
        if new.all():
            return piece
        self.counts[source] += int((~new).sum()) if piece.last else 0
        return Piece(
            tokens=piece.tokens[np.repeat(new, piece.lengths)],
            numbers=piece.numbers[new],
            lengths=piece.lengths[new],
            sizes=piece.sizes[new],
            first=piece.first,
            last=piece.last,
        )

    def _is_new(self, number: int, *, first: bool) -> bool:
        if first:
            self._dropping = number in self._seen
            self._seen.add(number)
        return not self._dropping
