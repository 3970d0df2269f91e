"""Whether a file of a corpus can be read, by its name and both its ends: for `check` and for preparation."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .corpus import CorpusSource
from .glob import shown
from .problem import InputError
from .remote_files import CorpusFile
from .token_file import TOKEN_ENDINGS, open_token_file

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

FORMATS = (".txt", ".jsonl", ".json", ".parquet")
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
ENDINGS = f"Name files that end in {', '.join(FORMATS)}; all but the last also with {', '.join(COMPRESSIONS)} after it."
TOKENS = f"With token_ids name files that end in {' or '.join(TOKEN_ENDINGS)}."
_FIRST_BYTES = {  # RFC 1952; bzip2; the .xz format and the older .lzma; RFC 8878 with its frames to be skipped
    ".gz": (b"\x1f\x8b",),
    ".bz2": (b"BZh",),
    ".xz": (b"\xfd7zXZ\0", b"\x5d\0\0"),
    ".zst": (b"\x28\xb5\x2f\xfd", *(bytes((0x50 + n, 0x2A, 0x4D, 0x18)) for n in range(16))),
}
_TEXT_TYPES = {"string", "large_string", "string_view"}
_XZ_FOOTER, _XZ_FOOTER_BYTES = b"YZ", 12
_WRITE_AGAIN = "Write or copy it again, or name other files."


def file_format(name: str) -> tuple[str, str] | None:
    """Format and compression that the ending of a name says: `.jsonl`, `.zst`; None for another ending."""
    compression = next((suffix for suffix in COMPRESSIONS if name.endswith(suffix)), "")
    stem = name.removesuffix(compression)
    found = next((suffix for suffix in FORMATS if stem.endswith(suffix)), None)
    return None if found is None or (found == ".parquet" and compression) else (found, compression)


def unknown_format(name: str, source: CorpusSource) -> str | None:
    """Which endings there are, when a name of a file of `source` has another one."""
    if source.token_ids is not None:
        return None if name.endswith(TOKEN_ENDINGS) else TOKENS
    return ENDINGS if file_format(name) is None else None


def refuse_unreadable(path: CorpusFile, source: CorpusSource) -> None:
    """Raise InputError when a file of a known format cannot be read, as far as its two ends show."""
    if source.token_ids is not None:
        open_token_file(path, source.token_ids)
        return
    kind, compression = file_format(path.name) or ("", "")
    try:
        with path.open("rb") as file:
            if compression:
                first = file.read(8)
                file.seek(max(0, file.seek(0, os.SEEK_END) - _XZ_FOOTER_BYTES))
                _refuse_damaged(path, compression, first, file.read())
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "Make it readable, or name other files.") from error
    if kind == ".parquet":
        open_parquet(path, source.field).close()


def _refuse_damaged(path: CorpusFile, compression: str, first: bytes, last: bytes) -> None:
    if first and not first.startswith(_FIRST_BYTES[compression]):
        raise unreadable(path, f"it does not begin as a {compression} file does")
    if first.startswith(_FIRST_BYTES[".xz"][0]) and not last.rstrip(b"\0").endswith(_XZ_FOOTER):
        raise unreadable(path, "it ends too early: it was not copied or written completely")


def open_parquet(path: CorpusFile, field: str) -> ParquetFile:
    """A Parquet file with a column of text. Raises InputError: no pyarrow, a damaged file, no such column."""
    if find_spec("pyarrow") is None:
        message = f"{shown(path)} is Parquet, and pyarrow is not installed"
        raise InputError.one("TW832", message, "Run: pip install 'trainwright[parquet]'.", "data.train")
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path if isinstance(path, Path) else path.open(), pre_buffer=True)
    except (OSError, ValueError) as error:  # pyarrow's own errors are both
        raise unreadable(path, str(error).splitlines()[0]) from error
    columns = {column.name: str(column.type) for column in file.schema_arrow}
    if columns.get(field) not in _TEXT_TYPES:
        file.close()
        has = ", ".join(f"{name} ({kind})" for name, kind in columns.items())
        message = f"{shown(path)} has no column {field!r} of text; it has {has}"
        raise InputError.one("TW836", message, "Name the column of the text: data.train[].field.", "data.train")
    return file


def unreadable(path: CorpusFile, reason: str, remedy: str = _WRITE_AGAIN) -> InputError:
    """The error of a file that cannot be read."""
    return InputError.one("TW833", f"{shown(path)} cannot be read: {reason}", remedy, "data.train")
