"""Parquet files, read in batches of rows by pyarrow: one column of text, a row a document."""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.corpus_format import open_parquet, unreadable
from ...spec.glob import shown
from ...spec.remote_files import CorpusFile
from .documents import Block
from .reading import Reading

_ROWS = 256  # of a batch: bounds memory, and is enough for a worker at a time


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
            for batch in file.iter_batches(_ROWS, list(wanted), [field]):
                texts = tuple(batch.column(0).to_pylist())
                block = Block(shown(path), row + 1, b"", field, texts=texts, longest=longest)
                row += len(texts)
                yield block, size * (row - first) // total
        except (OSError, ValueError) as error:  # pyarrow's own errors are both
            raise unreadable(path, str(error).splitlines()[0]) from error
