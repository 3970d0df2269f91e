"""Standard output and error as streams that show control characters instead of obeying them.

For training they are also lossy: that nobody is left to read what a run prints must not end the run.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, Any

from .foreign_text import for_terminal


class Wrapped:
    """A stream in front of another; what is not defined here is the other's own."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class PlainScreen(Wrapped):
    """Spells out the control characters of what is printed."""

    def write(self, text: str) -> int:
        """Write text. Raises OSError as the stream does."""
        self.stream.write(for_terminal(text))
        return len(text)


class LossyScreen(Wrapped):
    """Drops what the stream does not take: a closed pipe, a terminal that is gone, a log on a full disk."""

    def write(self, text: str) -> int:
        """Write text, if that is possible."""
        with suppress(OSError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, if that is possible."""
        with suppress(OSError):
            self.stream.flush()


def guard_screens(*, lossy: bool = False) -> None:
    """Put the guards before standard output and error of this process, in place of those that are there."""
    _open_closed()
    sys.stdout, sys.stderr = (_guarded(unguarded(screen), lossy=lossy) for screen in (sys.stdout, sys.stderr))


def _open_closed() -> None:
    """Lead what the caller has closed (`>&-`) nowhere, or the next file that we open would be its successor."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
            os.set_inheritable(descriptor, True)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - a descriptor, for good
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def unguarded(stream: IO[str]) -> IO[str]:
    """Where to write text with colours of our own."""
    return stream.stream if isinstance(stream, PlainScreen) else stream


def _guarded(stream: Any, *, lossy: bool) -> Any:
    return PlainScreen(LossyScreen(stream) if lossy else stream)
