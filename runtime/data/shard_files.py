"""One budget of open files for all shards that a process reads: 2T tokens are thousands of files.

Shards are opened when they are first read from and the longest unused is closed. Reading at an offset, not mapping,
makes a lost disk an OSError instead of a fatal signal.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from threading import Lock

OPEN_FILES = 64


class ShardFiles:
    """At most `most` files, open for reading."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: OrderedDict[Path, int] = OrderedDict()
        self._lock = Lock()  # a batch may be read ahead by a thread

    def read(self, path: Path, start: int, count: int) -> bytes:
        """`count` bytes from `start`. Raises OSError when they cannot be read, or are not all there."""
        with self._lock:
            content = os.pread(self._descriptor(path), count, start)
        if len(content) != count:
            raise OSError(f"{path} has become shorter than its {start + count} bytes")
        return content

    def forget(self, path: Path) -> None:
        """Close a file if it is open: another one may have taken its name."""
        with self._lock:
            if path in self._open:
                os.close(self._open.pop(path))

    def _descriptor(self, path: Path) -> int:
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        while len(self._open) >= self._most:
            os.close(self._open.popitem(last=False)[1])
        self._open[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return self._open[path]


SHARD_FILES = ShardFiles(OPEN_FILES)
