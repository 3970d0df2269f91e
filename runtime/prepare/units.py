"""The corpus in units of work: runs of small files, single files, and parts of large ones that can be cut.

A Parquet file is cut between its row groups and plain JSON lines at line ends; a compressed file is one unit whatever
its size, and so is a text file, which is one document.

Which units there are depends on the corpus alone, and a unit's shards are its own; so whoever makes them, in whatever
order and with whatever interruptions, the dataset is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...spec.corpus import CorpusSource, Split
from ...spec.corpus_format import file_format, open_parquet
from ...spec.remote_files import CorpusFile
from .corpus import blocks
from .job import AnyBlocks, Job, steps
from .token_blocks import token_blocks

UNIT_BYTES = 2**28  # of files: minutes of work for a node, and 8 TB are some 30,000 units


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or a part of one: row groups of a table, or the lines that begin in some bytes."""

    path: CorpusFile
    part: range | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What is tokenized at a time: its number among all, its source, and what it reads."""

    number: int
    source: int
    pieces: tuple[Piece, ...]
    bytes: int

    @property
    def line_parts(self) -> list[tuple[CorpusFile, int]]:
        """The files of lines of which it reads a part, and the byte where that begins."""
        parts = [(piece.path, piece.part) for piece in self.pieces if piece.part]
        return [(path, part.start) for path, part in parts if file_format(path.name) == (".jsonl", "")]

    def stem(self, split: Split) -> str:
        """What the names of its shards of a split begin with."""
        return f"{split}-{self.source:02d}-{self.number:05d}"


def units(job: Job) -> list[Unit]:
    """The units of a corpus, in its order. Raises InputError when a Parquet file cannot be read."""
    found: list[Unit] = []
    for number, source in enumerate(job.plan.data.sources):
        sizes = {path: size for path, (size, _) in job.stamps[number].items()}
        for pieces, filled in _cut([(path, sizes[path]) for path in job.sources[number].files], source):
            found.append(Unit(len(found), number, tuple(pieces), filled))
    return found


def _cut(files: list[tuple[CorpusFile, int]], source: CorpusSource) -> Iterator[tuple[list[Piece], int]]:
    """Files in order, as many as fill a unit, and their bytes."""
    pieces: list[Piece] = []
    filled = 0
    for path, size in files:
        for piece, part in _pieces(path, size, source):
            if pieces and filled + part > UNIT_BYTES:
                yield pieces, filled
                pieces, filled = [], 0
            pieces.append(piece)
            filled += part
    yield pieces, filled


def _pieces(path: CorpusFile, size: int, source: CorpusSource) -> Iterator[tuple[Piece, int]]:
    """A file and its bytes, or the parts that a large one is cut into."""
    kind = None if source.token_ids is not None or size <= UNIT_BYTES else file_format(path.name)
    if kind == (".parquet", ""):
        yield from _row_groups(path, size, source.field)
    elif kind == (".jsonl", ""):
        for first in range(0, size, UNIT_BYTES):
            part = range(first, min(first + UNIT_BYTES, size))
            yield Piece(path, part), len(part)
    else:
        yield Piece(path), size


def _row_groups(path: CorpusFile, size: int, field: str) -> Iterator[tuple[Piece, int]]:
    with open_parquet(path, field) as file:
        sizes = [file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups)]
    first = 0
    for group in range(len(sizes)):
        filled = sum(sizes[first : group + 1]) * size // max(1, sum(sizes))
        if filled >= UNIT_BYTES or group + 1 == len(sizes):
            yield Piece(path, range(first, group + 1)), filled
            first = group + 1


def unit_blocks(job: Job, unit: Unit, *, cuttable: bool) -> AnyBlocks:
    """The blocks of a unit, each with the bytes of its file that were read for it."""
    meaning = job.plan.data.sources[unit.source].token_ids
    for piece in unit.pieces:
        if meaning is not None:
            yield from steps(token_blocks(piece.path, meaning))
        else:
            yield from steps(blocks(piece.path, job.reading(unit.source, cuttable=cuttable), piece.part))
