"""Files and messages that somebody else may have written: links are not followed, sizes bounded, JSON parsed in full.

Everything here raises OSError or ValueError and nothing else, whatever the content; a FIFO or a device never blocks.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

LARGEST = 64 * 2**20  # bytes of a file that is read whole: far more than a manifest of 100,000 files


def read_foreign(path: Path, largest: int = LARGEST) -> bytes:
    """The content of a regular file. Raises OSError, or ValueError when it is a link, no file, or too large."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - the descriptor was opened without following links
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path.name} is not a regular file")
        content = file.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"{path.name} is larger than {largest} bytes")
    return content


def parse_json(text: bytes | str) -> Any:
    """The value of a JSON text. Raises ValueError, also where it is nested too deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def read_json(path: Path, largest: int = LARGEST) -> Any:
    """The value of a JSON file, read as `read_foreign` and parsed as `parse_json` do."""
    return parse_json(read_foreign(path, largest))
