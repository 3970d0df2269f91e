"""Parquet files, read in batches of rows by pyarrow: one column of text, a row a document."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...spec.glob import shown
from ...spec.problem import InputError
from .documents import Block

_ROWS = 256  # of a batch: bounds memory, and is enough for a worker at a time


def row_blocks(path: Path, field: str, longest: int) -> Iterator[tuple[Block, int]]:
    """The rows of a file, with the bytes that they stand for. Raises InputError when they cannot be read."""
    file = _opened(path)
    columns = {column.name: str(column.type) for column in file.schema_arrow}
    if columns.get(field) not in {"string", "large_string", "string_view"}:
        has = ", ".join(f"{name} ({kind})" for name, kind in columns.items())
        message = f"{shown(path)} has no column {field!r} of text; it has {has}"
        raise InputError.one("TW836", message, "Name the column of the text: data.train[].field.", "data.train")
    size, total, row = path.stat().st_size, max(1, file.metadata.num_rows), 0
    try:
        for batch in file.iter_batches(_ROWS, columns=[field]):
            texts = tuple(batch.column(0).to_pylist())
            block = Block(shown(path), row + 1, b"", field, texts=texts, longest=longest)
            row += len(texts)
            yield block, size * row // total
    except (OSError, ValueError) as error:  # pyarrow's own errors are both
        raise _unreadable(path, error) from error


def _opened(path: Path) -> Any:
    if find_spec("pyarrow") is None:
        message = f"{shown(path)} is Parquet, and pyarrow is not installed"
        raise InputError.one("TW832", message, "Run: pip install 'trainwright[parquet]'.", "data.train")
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    message = f"{shown(path)} cannot be read: {str(error).splitlines()[0]}"
    return InputError.one("TW833", message, "Write or copy it again, or name other files.", "data.train")
