"""The corpus: files read in blocks that workers turn into documents.

    *.txt, python:stdlib   a file is a document; a long one comes in pieces, cut where no word is, so that it need not
                           fit in memory, and is held out as a whole or not at all
    *.jsonl, *.json        a line is a JSON object, and one of its fields a document; a *.json may also be one list of
                           such objects
    *.parquet              a row is a document: the text of one column (`parquet.py`)

All but the last may be compressed (`decompress.py`). Reading is sequential and cheap; decoding, JSON and tokenizing
happen in the workers. What is wrong with one document is a `BadDocument`, so that all are reported; with a file, an
InputError.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator

from ...spec.corpus_format import file_format, unreadable
from ...spec.glob import shown
from ...spec.problem import InputError
from ...spec.quantity import MEMORY
from ...spec.remote_files import CorpusFile
from .decompress import ARCHIVE_ERRORS, ExpansionError, contents
from .documents import BadDocument, Block, TextPart, text_number
from .line_ranges import lines_in
from .parquet import row_blocks
from .reading import Reading

_TEXT_BYTES = 2**20  # a piece of a longer text file
_LONGEST_WORD = 2**20  # bytes beyond `_TEXT_BYTES` in which a place to cut is looked for
_LINES_BYTES = 2**20  # JSON lines that travel together


def blocks(path: CorpusFile, reading: Reading, part: range | None = None) -> Iterator[tuple[Block, int]]:
    """The blocks of a file, or of a part of it (see `Piece`), each with the bytes read so far.

    In a part of a file of lines these are numbered from its first. Raises InputError when the file cannot be read.
    """
    kind, compression = file_format(path.name) or (".txt", "")
    try:
        if kind == ".parquet":
            yield from row_blocks(path, reading, part)
            return
        cut = {".txt": _text, ".jsonl": _lines, ".json": _lines_or_list}[kind]
        with path.open("rb") as file:
            found = contents(file, compression, reading.max_expansion) if part is None else lines_in(file, part)
            for block in cut(path, found, reading):
                yield block, file.tell() - (0 if part is None else part.start)
    except ExpansionError as error:
        message = f"{shown(path)} expands to more than {error.args[0]} times its size"
        remedy = "Raise data.max_expansion if its text is right, or remove the file."
        raise InputError.one("TW840", message, remedy, "data.max_expansion") from error
    except (OSError, *ARCHIVE_ERRORS) as error:
        if isinstance(error, OSError) and error.strerror:
            raise unreadable(path, error.strerror, "Make it readable, or name other files.") from error
        raise unreadable(path, str(error)) from error


def _text(path: CorpusFile, pieces: Iterator[bytes], reading: Reading) -> Iterator[Block]:
    """A text file: one block, or when it is long, pieces that say which document they belong to."""
    start = _read(pieces, _TEXT_BYTES)
    if len(start) < _TEXT_BYTES:
        yield Block(shown(path), 1, start, None)
    elif not reading.cuttable:
        content = start + _read(pieces, reading.max_document - len(start) + 1)
        too_long = len(content) > reading.max_document
        yield _over(path, 1, reading, "file") if too_long else Block(shown(path), 1, content, None)
    else:
        number = _whole_text(path, reading)
        if isinstance(number, BadDocument):
            yield Block(shown(path), number.line, b"", None, bad=number)
            return
        line, first = 1, True
        for content, last in _cut(start, pieces):
            yield Block(shown(path), line, content, None, TextPart(number, first, last))
            line, first = line + content.count(b"\n"), False


def _whole_text(path: CorpusFile, reading: Reading) -> int | BadDocument:
    """The number of a long text, or what is wrong with it, before any piece of it is used: one pass over the file."""
    decoder, digest, line = codecs.getincrementaldecoder("utf-8")(), hashlib.blake2b(digest_size=8), 1
    with path.open("rb") as file:
        for content in contents(file, (file_format(path.name) or ("", ""))[1], reading.max_expansion):
            try:
                decoder.decode(content)
            except UnicodeDecodeError as error:
                return BadDocument.not_utf8(error, shown(path), line)
            digest.update(content)
            line += content.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return BadDocument.not_utf8(error, shown(path), line)
    return text_number(digest)


def _cut(start: bytes, pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """A text in pieces of about `_TEXT_BYTES`, and whether each is the last; cut after a line end or before blanks."""
    rest = bytearray(start)
    for piece in pieces:
        if len(rest) >= _TEXT_BYTES and (end := _border(rest)):
            yield bytes(rest[:end]), False
            del rest[:end]
        rest += piece
    yield bytes(rest), True


def _border(content: bytearray) -> int:
    """Where to cut: after the last line end, before the last blanks, or inside a very long word between characters."""
    end = content.rfind(b"\n") + 1
    if end:
        return end
    end = len(content[: content.rfind(b" ") + 1].rstrip(b" "))
    if end or len(content) < _TEXT_BYTES + _LONGEST_WORD:
        return end
    last = len(content) - 1
    while last > 0 and content[last] & 0xC0 == 0x80:  # inside a character
        last -= 1
    return last


def _lines_or_list(path: CorpusFile, pieces: Iterator[bytes], reading: Reading) -> Iterator[Block]:
    """A *.json: lines, unless it begins with the bracket of a list, which is taken as one block."""
    start = _read(pieces, 1)
    if not start.lstrip().startswith(b"["):
        yield from _lines(path, _after(start, pieces), reading)
        return
    content = start + _read(pieces, reading.max_document + 1 - len(start))
    if len(content) > reading.max_document:
        yield _over(path, 1, reading, "list")
    else:
        yield Block(shown(path), 1, content, reading.field, listed=True, longest=reading.max_document)


def _lines(path: CorpusFile, pieces: Iterator[bytes], reading: Reading) -> Iterator[Block]:
    """Blocks of whole lines; a line that is too long is passed over without being kept."""
    rest, line, end, passing = bytearray(), 1, 0, False  # `end` is where the last whole line in `rest` ends
    for piece in pieces:
        if passing and b"\n" not in piece:
            continue
        rest += piece[piece.find(b"\n") + 1 :] if passing else piece
        line, passing = line + passing, False
        end = rest.rfind(b"\n", max(end, len(rest) - len(piece))) + 1 or end
        if end and len(rest) >= _LINES_BYTES:
            yield Block(shown(path), line, bytes(rest[:end]), reading.field, longest=reading.max_document)
            line += rest.count(b"\n", 0, end)
            del rest[:end]
            end = 0
        if not end and len(rest) > reading.max_document:
            yield _over(path, line, reading, "line")
            rest, passing = bytearray(), True
    if rest:
        yield Block(shown(path), line, bytes(rest), reading.field, longest=reading.max_document)


def _over(path: CorpusFile, line: int, reading: Reading, what: str) -> Block:
    message = f"the {what} is longer than data.max_document ({MEMORY.text(reading.max_document)})"
    return Block(shown(path), line, b"", None, bad=BadDocument("TW840", message, shown(path), line))


def _read(pieces: Iterator[bytes], least: int) -> bytes:
    """The next pieces, until they are at least `least` bytes or there are no more."""
    content = bytearray()
    while len(content) < least and (piece := next(pieces, None)) is not None:
        content += piece
    return bytes(content)


def _after(start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if start:
        yield start
    yield from pieces
