"""What a unit leaves: shards of its own, and a record that is written last and says that they are complete.

units/00012.json                 see `UnitRecord`
train-00-00012-00000.bin         training tokens of source 0 from unit 12
units/00012.npz                  only where duplicates are looked for: number, tokens and bytes of each document
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...spec.atomic_files import sync_folder, write_atomically
from ...spec.corpus import Split
from ...spec.dataset_index import Skipped, SourcePart
from ...spec.foreign_files import read_foreign
from ...spec.frozen import Frozen
from ..data.shards import ShardWriter
from .documents import HASHES
from .tokenize import Encoded, Piece
from .units import Unit

UNITS = "units"
SPLITS: tuple[Split, Split] = ("train", "validation")
DOCUMENT = np.dtype([("number", "<u8"), ("tokens", "<i8"), ("bytes", "<i8")])  # a row of the table of documents
Documents = NDArray[np.void]


class UnitRecord(Frozen):
    """What a unit gave."""

    train: SourcePart
    validation: SourcePart
    lowest: int  # number of a document
    skipped: tuple[Skipped, ...]

    def part(self, split: Split) -> SourcePart:
        """What it gave to a split."""
        return self.train if split == "train" else self.validation


def read_record(folder: Path, unit: Unit) -> UnitRecord | None:
    """The record of a unit; None when it is not done."""
    try:
        return UnitRecord.model_validate_json(read_foreign(record_path(folder, unit)))
    except (OSError, ValueError):
        return None


def record_path(folder: Path, unit: Unit) -> Path:
    """Where a unit's record is."""
    return folder / UNITS / f"{unit.number:05d}.json"


def documents_path(folder: Path, unit: Unit) -> Path:
    """Where a unit's table of documents is."""
    return record_path(folder, unit).with_suffix(".npz")


def histogram(lengths: NDArray[np.int64]) -> tuple[int, ...]:
    """Documents by powers of two of their tokens [n]: entry k counts those of 2^k to 2^(k+1) - 1."""
    return tuple(np.bincount(np.frexp(lengths[lengths > 0])[1] - 1).tolist())


class SplitWriter:
    """One split of a unit: its shards, and a row for each document."""

    def __init__(self, folder: Path, stem: str, dtype: str) -> None:
        self._shards = ShardWriter(folder, stem, dtype)
        self._rows: list[Documents] = []

    def write(self, piece: Piece) -> None:
        """Append a block; a piece of a long document is added to the row of its first."""
        self._shards.write(piece.tokens)
        if not len(piece.numbers):
            return
        rows = np.empty(len(piece.numbers), DOCUMENT)
        rows["number"], rows["tokens"], rows["bytes"] = piece.numbers, piece.lengths, piece.sizes
        if piece.first:
            self._rows.append(rows)
        else:
            self._rows[-1]["tokens"][-1] += rows["tokens"][0]
            self._rows[-1]["bytes"][-1] += rows["bytes"][0]

    def close(self, path: str) -> tuple[SourcePart, Documents]:
        """What it gave, on disk, and its table of documents."""
        self._shards.close()
        table = np.concatenate(self._rows) if self._rows else np.empty(0, DOCUMENT)
        part = SourcePart(
            path=path,
            documents=len(table),
            bytes=int(table["bytes"].sum()),
            tokens=self._shards.tokens,
            shards=tuple(self._shards.shards),
            lengths=histogram(table["tokens"]),
        )
        return part, table

    def abandon(self) -> None:
        """Let go of an unfinished file after a failure."""
        self._shards.abandon()


class UnitWriter:
    """Writes both splits of a unit into a folder of its own."""

    def __init__(self, folder: Path, unit: Unit, dtype: str) -> None:
        self.folder = folder
        self._lowest = HASHES
        self._splits = {split: SplitWriter(folder, unit.stem(split), dtype) for split in SPLITS}

    def write(self, encoded: Encoded) -> None:
        """Append a block."""
        self._lowest = min(self._lowest, encoded.lowest)
        self._splits["train"].write(encoded.train)
        self._splits["validation"].write(encoded.validation)

    def close(self, path: str, skipped: tuple[Skipped, ...]) -> tuple[UnitRecord, Mapping[str, Documents]]:
        """The record of what it gave, all on disk, and the tables of documents."""
        closed = {split: writer.close(path) for split, writer in self._splits.items()}
        parts = {split: part for split, (part, _) in closed.items()}
        tables = {split: table for split, (_, table) in closed.items()}
        return UnitRecord(**parts, lowest=self._lowest, skipped=skipped), tables

    def abandon(self) -> None:
        """Let go of unfinished files after a failure."""
        for writer in self._splits.values():
            writer.abandon()


@contextmanager
def unit_writer(folder: Path, unit: Unit, dtype: str) -> Generator[UnitWriter]:
    """A writer whose files lie apart until `commit`: what a killed worker left is never taken for a unit."""
    (folder / UNITS).mkdir(parents=True, exist_ok=True)
    apart = Path(tempfile.mkdtemp(prefix=f".{unit.number:05d}-", dir=folder))
    writer = UnitWriter(apart, unit, dtype)
    try:
        yield writer
    finally:
        writer.abandon()
        shutil.rmtree(apart, ignore_errors=True)


def commit(folder: Path, unit: Unit, writer: UnitWriter, record: UnitRecord, tables: Mapping[str, Documents]) -> None:
    """Put a closed unit's files into `folder`, and then its record; `tables` are kept where they are needed."""
    for path in writer.folder.iterdir():
        path.replace(folder / path.name)
    sync_folder(folder)
    if tables:
        with documents_path(folder, unit).open("wb") as file:
            np.savez(file, allow_pickle=False, **tables)
    write_atomically(record_path(folder, unit), record.model_dump_json().encode())
