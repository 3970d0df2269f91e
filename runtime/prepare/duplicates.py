"""Exact duplicates, by the 64-bit hash of a document: the first one of the corpus is kept, the others are counted.

Two different documents of a billion share a hash by a chance of one in forty. All hashes are in memory, about a hundred
bytes for each document. It is done when all units are there, so that it does not matter who made them, and when.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...spec.corpus import Split
from ...spec.dataset_index import SourcePart
from ..data.shards import ShardWriter
from .unit_files import SPLITS, Documents, UnitRecord, documents_path, histogram
from .units import Unit


class Duplicates:
    """What was seen so far; `counts` are the documents left out of each source."""

    def __init__(self, folder: Path, dtype: str, sources: int) -> None:
        self._folder, self._dtype = folder, dtype
        self.counts = [0] * sources
        self._seen: set[int] = set()

    def drop(self, unit: Unit, record: UnitRecord) -> UnitRecord:
        """The record of `unit` without the documents that came before, and shards without them beside its own."""
        with np.load(documents_path(self._folder, unit), allow_pickle=False) as tables:
            parts = {split: self._once(unit, split, record.part(split), tables[split]) for split in SPLITS}
        return record.model_copy(update=parts)

    def _once(self, unit: Unit, split: Split, part: SourcePart, table: Documents) -> SourcePart:
        new = np.array([self._is_new(number) for number in table["number"].tolist()], dtype=bool)
        if new.all():
            return part
        self.counts[unit.source] += int((~new).sum())
        writer = ShardWriter(self._folder, f"{unit.stem(split)}-once", self._dtype)
        for left in self._folder.glob(f"{writer.stem}-*"):  # of a start that was killed
            left.unlink()
        _copy(self._folder, part, np.repeat(new, table["tokens"]), writer)
        kept = table[new]
        return part.model_copy(
            update={
                "documents": len(kept),
                "bytes": int(kept["bytes"].sum()),
                "tokens": writer.tokens,
                "shards": tuple(writer.shards),
                "lengths": histogram(kept["tokens"]),
            }
        )

    def _is_new(self, number: int) -> bool:
        new = number not in self._seen
        self._seen.add(number)
        return new


def _copy(folder: Path, part: SourcePart, wanted: NDArray[np.bool_], writer: ShardWriter) -> None:
    """The tokens of a part's shards that are `wanted`, into another."""
    start = 0
    try:
        for shard in part.shards:
            ids = np.memmap(folder / shard.file, writer.dtype, "r")
            writer.write(ids[wanted[start : start + len(ids)]])
            start += len(ids)
        writer.close()
    finally:
        writer.abandon()
