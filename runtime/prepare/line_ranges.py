"""Parts of a large file of lines: a line belongs to the part that it begins in, so parts are read independently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

from ...spec.glob import shown
from ...spec.remote_files import CorpusFile
from .documents import BadDocument

_READ_BYTES = 2**16


def lines_in(file: BinaryIO, part: range) -> Iterator[bytes]:
    """The lines that begin in those bytes of a file, in pieces; the last may end beyond them."""
    start, stop = _line_start(file, part.start), _line_start(file, part.stop)
    file.seek(start)
    yield from _read(file, stop - start)


def _line_start(file: BinaryIO, place: int) -> int:
    """Where the first line begins that does not begin before `place`, in bytes."""
    if place == 0:
        return 0
    file.seek(place - 1)
    while piece := file.read(_READ_BYTES):
        if end := piece.find(b"\n") + 1:
            return file.tell() - len(piece) + end
    return file.tell()


def _read(file: BinaryIO, count: int) -> Iterator[bytes]:
    while count > 0 and (piece := file.read(min(_READ_BYTES, count))):
        count -= len(piece)
        yield piece


class LineNumbers:
    """Numbers of lines in whole files, of lines that were counted from the beginning of a part.

    Lines are counted only when a document is bad, and from the last such part on: parts come in order.
    """

    def __init__(self) -> None:
        self._counted: dict[CorpusFile, tuple[int, int]] = {}

    def corrected(self, parts: Iterable[tuple[CorpusFile, int]], found: Iterable[BadDocument]) -> list[BadDocument]:
        """What was found in parts that begin at those bytes of their files."""
        starts = {shown(path): (path, start) for path, start in parts if start}
        return [
            replace(bad, line=bad.line + self._before(*starts[bad.path])) if bad.path in starts else bad
            for bad in found
        ]

    def _before(self, path: CorpusFile, start: int) -> int:
        """How many lines of a file begin before `start`."""
        wanted = start - 1  # a line end there is that of the line before, as it is anywhere up to the part's first line
        place, lines = self._counted.get(path, (0, 1))
        if place > wanted:
            place, lines = 0, 1
        with path.open("rb") as file:
            file.seek(place)
            lines += sum(piece.count(b"\n") for piece in _read(file, wanted - place))
        self._counted[path] = (wanted, lines)
        return lines
