"""Files and messages that somebody else may have written: links are not followed, sizes bounded, JSON parsed in full.

Everything here raises OSError or ValueError and nothing else, whatever the content; a FIFO or a device never blocks.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

LONGEST_LINE = 2**20  # bytes of a line of a log
LARGEST_INTEGER = 2**128  # none of our files holds a larger one; a float takes 2**1024
LARGEST = 64 * 2**20  # bytes of a file that is read whole: far more than a manifest of 100,000 files


def open_foreign(path: Path) -> BinaryIO:
    """A regular file, open for reading. Raises OSError, also when it is a link, a pipe or a device."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return open(descriptor, "rb")  # noqa: PTH123 - the descriptor was opened without following links


def read_foreign(path: Path, largest: int = LARGEST) -> bytes:
    """The content of a regular file. Raises OSError as `open_foreign`, ValueError when it is too large."""
    with open_foreign(path) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"{path.name} is larger than {largest} bytes")
    return content


def read_linked(path: Path, largest: int = LARGEST) -> bytes:
    """As `read_foreign`, of the file that links lead to: for what its owner may keep elsewhere."""
    return read_foreign(Path(os.path.realpath(path)), largest)


def foreign_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; one that is longer than any we write comes in pieces, and so is none that can be parsed."""
    return iter(partial(file.readline, LONGEST_LINE), b"")


def parse_json(text: bytes | str) -> Any:
    """The value of a JSON text. Raises ValueError, also where it is nested too deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def parse_strict_json(text: bytes | str) -> Any:
    """As `parse_json`, for what must mean one thing: a key that stands twice is a ValueError, as are NaN, Infinity."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in found if names.count(name) > 1)!r:.60} stands twice")
    return found


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number of JSON")


def read_json(path: Path, largest: int = LARGEST) -> Any:
    """The value of one of our JSON files, read as `read_foreign` does, its integers bounded as arithmetic needs it."""
    try:
        return json.loads(read_foreign(path, largest), parse_int=_bounded)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _bounded(digits: str) -> int:
    number = int(digits)
    if abs(number) > LARGEST_INTEGER:
        raise ValueError(f"an integer of {len(digits)} digits")
    return number
