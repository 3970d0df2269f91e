"""Parquet files, read in batches of rows by pyarrow: one column of text, a row a document."""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.corpus_format import open_parquet, unreadable
from ...spec.glob import shown
from ...spec.remote_files import CorpusFile
from .documents import Block

_ROWS = 256  # of a batch: bounds memory, and is enough for a worker at a time


def row_blocks(path: CorpusFile, field: str, longest: int) -> Iterator[tuple[Block, int]]:
    """The rows of a file, with the bytes that they stand for. Raises InputError when they cannot be read."""
    with open_parquet(path, field) as file:
        size, total, row = path.stat().st_size, max(1, file.metadata.num_rows), 0
        try:
            for batch in file.iter_batches(_ROWS, columns=[field]):
                texts = tuple(batch.column(0).to_pylist())
                block = Block(shown(path), row + 1, b"", field, texts=texts, longest=longest)
                row += len(texts)
                yield block, size * row // total
        except (OSError, ValueError) as error:  # pyarrow's own errors are both
            raise unreadable(path, str(error).splitlines()[0]) from error
