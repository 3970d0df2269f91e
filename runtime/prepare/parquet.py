"""Parquet files, read in batches of rows by pyarrow: one column of text, a row a document.

A file holds a text that comes again only once (its dictionary), and compresses what it holds: a few bytes can be
gigabytes of rows. So a batch has few rows where the dictionary could be large, and what was made is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...spec.corpus_format import open_parquet, unreadable
from ...spec.glob import shown
from ...spec.remote_files import CorpusFile
from .decompress import require_bounded
from .documents import Block
from .reading import Reading

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_ROWS = 256  # that travel together to a worker
_TOGETHER = 2**22  # bytes after which fewer do
_BATCH = 2**28  # bytes of a batch at most, unless a single row is larger


def row_blocks(path: CorpusFile, reading: Reading, groups: range | None = None) -> Iterator[tuple[Block, int]]:
    """The rows of a file, or of some of its row groups, with the bytes of the file that they stand for so far.

    Raises InputError when they cannot be read.
    """
    field, longest = reading.field, reading.max_document
    with open_parquet(path, field) as file:
        size, total = path.stat().st_size, max(1, file.metadata.num_rows)
        wanted = range(file.num_row_groups) if groups is None else groups
        first = row = sum(file.metadata.row_group(group).num_rows for group in range(wanted.start))
        try:
            for texts in _texts(file, wanted, reading, size):
                block = Block(shown(path), row + 1, b"", field, texts=texts, longest=longest)
                row += len(texts)
                yield block, size * (row - first) // total
        except (OSError, ValueError) as error:  # pyarrow's own errors are both
            raise unreadable(path, str(error).splitlines()[0]) from error


def _texts(file: ParquetFile, groups: range, reading: Reading, size: int) -> Iterator[tuple[str | None, ...]]:
    """The texts of some row groups, a few at a time. Raises ExpansionError when they are too much for a file's size."""
    texts, made, given = list[str | None](), 0, 0
    for batch in file.iter_batches(_rows(file, groups, reading), list(groups), [reading.field]):
        made += batch.nbytes
        require_bounded(made, size, reading.max_expansion)
        texts += batch.column(0).to_pylist()
        if len(texts) >= _ROWS or made - given >= _TOGETHER:
            yield tuple(texts)
            texts, given = [], made
    if texts:
        yield tuple(texts)


def _rows(file: ParquetFile, groups: range, reading: Reading) -> int:
    """Rows of a batch: each may be as long as all that its row group holds. Raises ExpansionError before it is read."""
    largest = 1
    for group in (file.metadata.row_group(number) for number in groups):
        columns = [group.column(number) for number in range(group.num_columns)]
        column = next(column for column in columns if column.path_in_schema == reading.field)
        require_bounded(column.total_uncompressed_size, column.total_compressed_size, reading.max_expansion)
        largest = max(largest, column.total_uncompressed_size)
    return max(1, min(_ROWS, _BATCH // largest))
