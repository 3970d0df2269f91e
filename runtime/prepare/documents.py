"""From a block of bytes to its documents, in the workers: decoding, JSON, and plain words for what is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ...spec.foreign_files import parse_json
from ...spec.problem import Place, Problem

HASHES = 2**64
_BYTE_ORDER_MARK = "\ufeff"
_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}  # what a file begins with that is not UTF-8
_REMEDIES = {
    "TW836": "Name the field of the text (data.train[].field), correct it, or write data.on_bad_document: skip.",
    "TW840": "Raise data.max_document, or split the text into more documents.",
}
_REMEDY = "Correct or remove it, or write data.on_bad_document: skip."


class _Digest(Protocol):
    def digest(self) -> bytes: ...


def text_number(digest: _Digest) -> int:
    """A number below `HASHES` for a text, the same for each copy of it, from its 8-byte BLAKE2b digest."""
    return int.from_bytes(digest.digest())


@dataclass(frozen=True, slots=True)
class BadDocument:
    """A document that cannot be used, where it is, and why."""

    code: str
    message: str
    path: str
    line: int

    @classmethod
    def not_utf8(cls, error: UnicodeDecodeError, path: str, line: int) -> BadDocument:
        """What is wrong with bytes that begin in `line`."""
        content = error.object
        mark = _OTHER_MARKS.get(content[:2]) if line == 1 and error.start == 0 else None
        message = (
            f"byte 0x{content[error.start]:02x} is not UTF-8" if mark is None else f"the file is {mark}, not UTF-8"
        )
        return cls("TW834", message, path, line + content.count(b"\n", 0, error.start))

    @property
    def problem(self) -> Problem:
        """The problem to report."""
        remedy = _REMEDIES.get(self.code, _REMEDY)
        return Problem(self.code, "error", self.message, remedy, "data.train", Place(self.path, self.line, 1))


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a long text: the number of the whole text, and whether the piece is its first and its last."""

    number: int
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of documents: where they come from, the number of their first line, and how to read them."""

    path: str
    line: int
    content: bytes
    field: str | None  # of a JSON line; None for plain text
    part: TextPart | None = None
    listed: bool = False  # one JSON list instead of lines
    texts: tuple[str | None, ...] | None = None  # of the rows of a table, in place of bytes
    longest: int = 2**63
    bad: BadDocument | None = None  # found while reading


@dataclass(frozen=True, slots=True)
class Document:
    """A text, or a piece of one."""

    text: str
    part: TextPart


def size_of(block: Block) -> int:
    """Characters or bytes of text in a block."""
    return len(block.content) + sum(len(text or "") for text in block.texts or ())


def documents(block: Block) -> Iterator[Document | BadDocument]:
    """The documents of a block, and what is wrong with others; empty ones are left out."""
    if block.bad is not None:
        yield block.bad
        return
    for text in _texts(block):
        if isinstance(text, BadDocument):
            yield text
        elif block.part is not None:
            yield Document(text, block.part)
        elif text:
            number = text_number(hashlib.blake2b(text.encode(), digest_size=8))
            yield Document(text, TextPart(number, first=True, last=True))


def _texts(block: Block) -> Iterator[str | BadDocument]:
    if block.texts is not None:
        return _rows(block, block.texts)
    if block.field is None:
        return _plain(block)
    return _listed(block) if block.listed else _lines(block)


def _rows(block: Block, texts: tuple[str | None, ...]) -> Iterator[str | BadDocument]:
    """Rows of a table; the number of a row takes the place of that of a line."""
    for number, text in enumerate(texts, start=block.line):
        if text is None:
            message = f"the column {block.field!r} is null instead of text"
            yield BadDocument("TW836", message, block.path, number)
        elif len(text) > block.longest:
            yield BadDocument("TW840", "the text is longer than data.max_document", block.path, number)
        else:
            yield text


def _plain(block: Block) -> Iterator[str | BadDocument]:
    try:
        yield block.content.decode()
    except UnicodeDecodeError as error:
        yield BadDocument.not_utf8(error, block.path, block.line)


def _lines(block: Block) -> Iterator[str | BadDocument]:
    for number, line in enumerate(block.content.split(b"\n"), start=block.line):
        if len(line) > block.longest:
            yield BadDocument("TW840", "the line is longer than data.max_document", block.path, number)
        elif line.strip():
            entry = _parsed(line, block, number)
            yield entry if isinstance(entry, BadDocument) else _field(entry, block, number)


def _listed(block: Block) -> Iterator[str | BadDocument]:
    """The entries of one JSON list; problems name the line where it begins, and the entry."""
    entries = _parsed(block.content, block, block.line)
    if isinstance(entries, BadDocument):
        yield entries
        return
    for index, entry in enumerate(entries):
        text = _field(entry, block, block.line)
        named = isinstance(text, BadDocument)
        yield replace(text, message=f"entry {index} of the list: {text.message}") if named else text


def _parsed(content: bytes, block: Block, number: int) -> Any:
    """The JSON value of a line or a list, or what is wrong with it."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        return BadDocument.not_utf8(error, block.path, number)
    if text.startswith(_BYTE_ORDER_MARK):
        message = "it begins with a byte order mark: save the file as UTF-8 without one"
        return BadDocument("TW835", message, block.path, number)
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg[0].lower()}{error.msg[1:]} at column {error.colno}"
    except ValueError as error:  # also a number of thousands of digits
        reason = "nested too deeply" if isinstance(error.__cause__, RecursionError) else "a number is too long"
    return BadDocument("TW835", f"not a JSON object: {reason}", block.path, number)


def _field(entry: object, block: Block, number: int) -> str | BadDocument:
    """The text of an entry; None and other values are not text."""
    text = entry.get(block.field) if isinstance(entry, dict) else None
    if not isinstance(text, str):
        return BadDocument("TW836", _wrong_field(entry, block.field), block.path, number)
    try:
        text.encode()
    except UnicodeEncodeError:
        message = "the text holds half a surrogate pair, which UTF-8 cannot carry"
        return BadDocument("TW834", message, block.path, number)
    return text


def _wrong_field(entry: object, field: str | None) -> str:
    if not isinstance(entry, dict):
        return f"{_kind(entry)} instead of an object with the field {field!r}"
    if field not in entry:
        return f"no field {field!r}; it has {', '.join(map(repr, entry)) or 'none'}"
    return f"the field {field!r} is {_kind(entry[field])} instead of text"


def _kind(value: object) -> str:
    names = {"NoneType": "null", "bool": "true or false", "list": "a list", "dict": "an object", "str": "a text"}
    return names.get(type(value).__name__, "a number")
