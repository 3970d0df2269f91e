"""The corpus in units of work: runs of small files, single files, and row groups of large Parquet files.

Which units there are depends on the corpus alone, and a unit's shards are its own; so whoever makes them, in whatever
order and with whatever interruptions, the dataset is the same to the byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...spec.corpus import CorpusSource, Split
from ...spec.corpus_format import open_parquet
from ...spec.remote_files import CorpusFile
from .corpus import blocks
from .job import AnyBlocks, Job, steps
from .token_blocks import token_blocks

UNIT_BYTES = 2**28  # of files: minutes of work for a node, and 8 TB are some 30,000 units


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or some row groups of one."""

    path: CorpusFile
    groups: range | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What is tokenized at a time: its number among all, its source, and what it reads."""

    number: int
    source: int
    pieces: tuple[Piece, ...]
    bytes: int

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
    """A file and its bytes; a large Parquet file by row groups."""
    if size <= UNIT_BYTES or Path(path.name).suffix != ".parquet":
        yield Piece(path), size
        return
    with open_parquet(path, source.field) as file:
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
            yield from steps(blocks(piece.path, job.reading(unit.source, cuttable=cuttable), piece.groups))
