"""The content of a corpus file, piece by piece: plain or compressed, within bounds whatever the archive says.

A few bytes can expand to gigabytes, so a decompressor gets at most `_FED` bytes at a time, of which zstd makes at most
32 MiB and gzip 1 MiB; bz2 and xz give at most `_MADE` at a time. How far a whole file may expand is the spec's
`data.max_expansion`.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, Protocol

import zstandard

_READ_BYTES = 2**15
_FED = 2**10
_MADE = 2**22
_FREE_BYTES = 2**26  # what any file may expand to: small files of repeated lines compress without limit
_LARGEST_WINDOW = 2**31  # that of `zstd --long=31` and of `xz`'s largest dictionaries


class ExpansionError(Exception):
    """A file expands further than it may; the argument is the number of times it has already."""


class _Decompressor(Protocol):
    """What the standard library's decompressors and zstandard's have in common: one frame (gzip: member)."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_OPENERS: dict[str, Callable[[], _Decompressor]] = {
    ".gz": lambda: zlib.decompressobj(wbits=31),
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lambda: lzma.LZMADecompressor(memlimit=_LARGEST_WINDOW),
    ".zst": lambda: zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj(),
}
ARCHIVE_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError)  # bz2 raises OSError


def contents(file: BinaryIO, suffix: str, most: float) -> Iterator[bytes]:
    """The content of an open file whose name ends in `suffix`, in pieces of bounded size.

    Raises ExpansionError when it expands more than `most` times, one of ARCHIVE_ERRORS or OSError when it is damaged.
    """
    pieces = iter(partial(file.read, _READ_BYTES), b"")
    if suffix not in _OPENERS:
        yield from pieces
        return
    made = 0
    for piece in _expanded(pieces, _OPENERS[suffix]):
        made += len(piece)
        require_bounded(made, file.tell(), most)
        yield piece


def require_bounded(made: int, read: int, most: float) -> None:
    """Raise ExpansionError when `made` bytes of `read` are more than `most` times, and no small file."""
    if made > _FREE_BYTES + most * read:
        raise ExpansionError(made // max(1, read))


def _expanded(pieces: Iterator[bytes], opener: Callable[[], _Decompressor]) -> Iterator[bytes]:
    """Frame after frame. Raises EOFError when the last one is not whole."""
    frame, fed = opener(), False
    for piece in pieces:
        for start in range(0, len(piece), _FED):
            rest = piece[start : start + _FED]
            while rest:
                yield from _made(frame, rest)
                fed, rest = not frame.eof, frame.unused_data if frame.eof else b""
                if frame.eof:
                    frame = opener()
    if fed:
        raise EOFError("it ends too early: it was not copied or written completely")


def _made(frame: _Decompressor, data: bytes) -> Iterator[bytes]:
    """What a frame makes of some bytes, in pieces where its format would make more than memory holds of them."""
    if isinstance(frame, bz2.BZ2Decompressor | lzma.LZMADecompressor):
        yield frame.decompress(data, _MADE)
        while not (frame.needs_input or frame.eof):
            yield frame.decompress(b"", _MADE)
    else:
        yield frame.decompress(data)
