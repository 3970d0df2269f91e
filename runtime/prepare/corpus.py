"""The corpus: the files of a source, read in blocks that workers turn into documents.

    *.txt, python:stdlib     a file is a document; a longer one than 64 KiB is cut at line ends, and a line that is
                             longer than 1 MiB at a blank, so that neither need fit in memory
    *.jsonl, *.jsonl.zst     a line is a JSON object, and one of its fields a document

Reading is sequential and cheap; decoding, JSON and tokenizing happen in the workers.
"""

from __future__ import annotations

import hashlib
import json
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import zstandard

from ...spec.glob import matches
from ...spec.problem import InputError, Place
from ...spec.sections import Source

STDLIB = "python:stdlib"
_NOT_SOURCES = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3", "__pycache__"}
_TEXT_BYTES = 2**16  # a document of a longer text file
_LONGEST_LINE = 2**20  # bytes of a line of text; a JSON line is read whole, however long
_LINES_BYTES = 2**20  # JSON lines that travel together
_READ_BYTES = 2**15
_SUFFIXES = (".txt", ".jsonl", ".jsonl.zst")


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of whole documents: where they come from, the number of their first line, and how to read them."""

    path: str
    line: int
    content: bytes
    field: str | None  # of a JSON line; None for plain text


def files(source: Source, root: Path) -> list[Path]:
    """The files of a source in a fixed order. Raises InputError when there are none, or none that can be read."""
    if source.path == STDLIB:
        return _stdlib()
    try:
        found = sorted(path for path in matches(source.path, root) if path.is_file())
    except (ValueError, OSError) as error:  # pathlib's words for a bad pattern, and for one that is too long
        remedy = "Write a pattern like corpus/*.txt."
        raise InputError.one("TW831", f"{source.path}: {error}", remedy, "data.train") from error
    if not found:
        base = root / Path(source.path).anchor
        remedy = "Correct the path; a folder needs a pattern for its files, like corpus/*.txt."
        raise InputError.one("TW831", f"{source.path} matches no file below {base}", remedy, "data.train")
    odd = [path.name for path in found if not path.name.endswith(_SUFFIXES)]
    if odd:
        remedy = f"Name files that end in {', '.join(_SUFFIXES)}."
        raise InputError.one("TW832", f"{source.path}: cannot read {odd[0]}: unknown format", remedy, "data.train")
    return found


def _stdlib() -> list[Path]:
    """Sources of the running Python's standard library, without tests and installed packages."""
    library = Path(sysconfig.get_path("stdlib"))
    sources = (path for path in library.rglob("*.py") if not _NOT_SOURCES & set(path.relative_to(library).parts))
    return sorted(path for path in sources if path.stat().st_size)


def fingerprint(paths: list[Path], root: Path) -> str:
    """A digest that changes when a file is added, removed, resized or touched."""
    digest = hashlib.sha256()
    for path in paths:
        facts = path.stat()
        name = path.relative_to(root) if path.is_relative_to(root) else path
        digest.update(f"{name.as_posix()}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def blocks(path: Path, field: str) -> Iterator[tuple[Block, int]]:
    """The blocks of a file, each with the bytes of the file read so far. Raises InputError when it cannot be read."""
    plain = not path.name.endswith((".jsonl", ".jsonl.zst"))
    size, longest = (_TEXT_BYTES, _LONGEST_LINE) if plain else (_LINES_BYTES, None)
    line = 1
    try:
        with path.open("rb") as file:
            for content in _cut(_decompressed(path, file), size, longest):
                yield Block(str(path), line, content, None if plain else field), file.tell()
                line += content.count(b"\n")
    except (OSError, zstandard.ZstdError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError.one(
            "TW833", f"{path} cannot be read: {reason}", "Make it readable, or name other files.", "data.train"
        ) from error


def _decompressed(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """The content of a file, chunk by chunk. Raises ZstdError when an archive is damaged or ends too early."""
    chunks = iter(partial(file.read, _READ_BYTES), b"")
    if path.suffix != ".zst":
        yield from chunks
        return
    # The window limit of `zstd --long=31`: a decompressor refuses such files without it.
    frames = zstandard.ZstdDecompressor(max_window_size=2**31)
    frame = frames.decompressobj()
    fed = False
    for chunk in chunks:
        rest = chunk
        while rest:
            yield frame.decompress(rest)
            fed, rest = not frame.eof, frame.unused_data if frame.eof else b""
            if frame.eof:
                frame = frames.decompressobj()
    if fed:
        raise zstandard.ZstdError("it ends inside a frame; it was not copied or written whole")


def _cut(chunks: Iterator[bytes], size: int, longest: int | None) -> Iterator[bytes]:
    """Content in pieces of at least `size` bytes that end where a line does, or a word in a line above `longest`."""
    rest = bytearray()
    for chunk in chunks:
        rest += chunk
        end = rest.rfind(b"\n", len(rest) - len(chunk)) + 1 if len(rest) >= size else 0
        if not end and longest is not None and len(rest) > longest:
            end = _word_end(rest)
        if end:
            yield bytes(rest[:end])
            del rest[:end]
    if rest:
        yield bytes(rest)


def _word_end(content: bytearray) -> int:
    """Where the last whole word of `content` ends; without a blank, the last whole UTF-8 character."""
    blank = content.rfind(b" ") + 1
    if blank:
        return blank
    last = len(content) - 1
    while last > 0 and content[last] & 0xC0 == 0x80:  # inside a character
        last -= 1
    return last or len(content)


def documents(block: Block) -> Iterator[str]:
    """The documents of a block; empty ones are left out. Raises InputError with file and line of what is wrong."""
    if block.field is None:
        yield from filter(None, [_text(block.content, block, block.line)])
        return
    for number, line in enumerate(block.content.split(b"\n"), start=block.line):
        if line.strip() and (text := _field(_text(line, block, number), block, number)):
            yield text


def _text(content: bytes, block: Block, line: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
        raise _wrong("TW834", f"byte 0x{content[error.start]:02x} is not UTF-8", block, line) from error


def _field(line: str, block: Block, number: int) -> str:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong("TW835", f"not a JSON object: {error}", block, number) from error
    text = entry.get(block.field) if isinstance(entry, dict) else None
    if not isinstance(text, str):
        has = f"; it has {', '.join(map(repr, entry))}" if isinstance(entry, dict) else ""
        raise _wrong("TW836", f"no text in field {block.field!r}{has}", block, number)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "the text holds half a surrogate pair, which UTF-8 cannot carry"
        raise _wrong("TW834", message, block, number) from error
    return text


def _wrong(code: str, message: str, block: Block, line: int) -> InputError:
    remedy = "Correct or remove the line." if code != "TW836" else "Name the field of the text: data.train[].field."
    return InputError.one(code, message, remedy, "data.train", Place(block.path, line, 1))
