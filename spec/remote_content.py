"""The content of a file in an object store, with the errors of a file on disk."""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def as_os_error(url: str) -> Generator[None]:
    """What a store's library raises, as an OSError: each has errors of its own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{url}: {type(error).__name__}: {error}") from error


class RemoteContent(io.RawIOBase):
    """An open file of a store; `url` is for messages."""

    def __init__(self, file: Any, url: str) -> None:
        self._file, self._url = file, url

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        """Move to a place, as `io` says."""
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """The place."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; the bytes read. Raises OSError."""
        with as_os_error(self._url):
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close it."""
        if not self.closed:
            self._file.close()
        super().close()
