"""Token files that exist already: read in blocks of whole documents, and put on their side in the workers.

A document ends after its end-of-document id; with Megatron's .idx it ends where that says. The ids stay as they are; a
document that does not end in the id gets one, since nothing else shows where it ends in a shard. Whether it is held out
depends on its ids alone, so that copies of it are all on one side, whatever the type of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...spec.corpus_format import unreadable
from ...spec.glob import shown
from ...spec.problem import InputError
from ...spec.remote_files import CorpusFile
from ...spec.sections import TokenIds
from ...spec.token_file import ITEM_BYTES, MegatronIndex, TokenFile, open_token_file
from ..data.shards import Tokens, token_type
from .documents import TextPart, text_number

_WINDOW = 2**19  # ids that are read at a time, and of a block

Ends = NDArray[np.int64]
FindEnds = Callable[[int, Tokens], Ends]  # from the place of some ids and themselves to the ends of documents in them


@dataclass(frozen=True, slots=True)
class TokenBlock:
    """Ids of documents one after another, or with `part` a piece of a long one."""

    path: str
    first: int  # its place in the file, in ids
    start: int  # byte of the file where the ids begin
    ids: Tokens
    ends: tuple[int, ...]  # of the documents in `ids`
    meaning: TokenIds
    part: TextPart | None = None


@dataclass(frozen=True, slots=True)
class TokenDocument:
    """Ids [n] of a document, or of a piece of it."""

    ids: Tokens
    part: TextPart


def token_blocks(path: CorpusFile, meaning: TokenIds) -> Iterator[tuple[TokenBlock, int]]:
    """The blocks of a file, each with the bytes of the file read so far. Raises InputError when it cannot be read."""
    file = open_token_file(path, meaning)
    find_ends = _flat_ends(meaning.end_of_document) if file.index is None else _megatron_ends(file, file.index)
    try:
        with path.open("rb") as opened:
            start = 0
            while start < file.count:
                for block in _next(opened, file, start, find_ends, meaning):
                    start = block.first + len(block.ids)
                    yield block, file.start + start * ITEM_BYTES[file.dtype]
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def _next(
    opened: BinaryIO, file: TokenFile, start: int, find_ends: FindEnds, meaning: TokenIds
) -> Iterator[TokenBlock]:
    """The block of whole documents that begins at `start`, or the pieces of one that is longer than a window."""
    ids = _read(opened, file, start, _WINDOW)
    ends = [int(end) for end in find_ends(start, ids)]
    if start + len(ids) == file.count and ends[-1:] != [len(ids)]:
        ends.append(len(ids))
    if ends:
        yield TokenBlock(shown(file.path), start, file.start, ids[: ends[-1]], tuple(ends), meaning)
        return
    number, end = _long_document(opened, file, start, find_ends, meaning)
    for first in range(start, end, _WINDOW):
        ids = _read(opened, file, first, min(_WINDOW, end - first))
        part = TextPart(number, first == start, first + len(ids) == end)
        yield TokenBlock(shown(file.path), first, file.start, ids, (len(ids),), meaning, part)


def _long_document(
    opened: BinaryIO, file: TokenFile, start: int, find_ends: FindEnds, meaning: TokenIds
) -> tuple[int, int]:
    """The number of the document that begins at `start`, and where it ends: one pass over it before it is used."""
    digest, dtype = hashlib.blake2b(digest_size=8), token_type(meaning.vocab_size)
    for first in range(start, file.count, _WINDOW):
        ids = _read(opened, file, first, _WINDOW)
        ends = find_ends(first, ids)
        inside = ids[: ends[0]] if len(ends) else ids
        without = _without_end(inside, meaning) if len(ends) else inside
        digest.update(without.astype(dtype).tobytes())
        if len(ends):
            return text_number(digest), first + len(inside)
    return text_number(digest), file.count


def _without_end(ids: Tokens, meaning: TokenIds) -> Tokens:
    return ids[:-1] if len(ids) and ids[-1] == meaning.end_of_document else ids


def _read(opened: BinaryIO, file: TokenFile, first: int, count: int) -> Tokens:
    """Up to `count` ids from the `first` on. Raises InputError when they are not all there any more."""
    wanted = min(count, file.count - first) * ITEM_BYTES[file.dtype]
    opened.seek(file.start + first * ITEM_BYTES[file.dtype])
    content = opened.read(wanted)
    if len(content) < wanted:
        raise unreadable(file.path, "it has become shorter")
    return np.frombuffer(content, file.dtype)


def _flat_ends(end_of_document: int) -> FindEnds:
    return lambda _, ids: np.flatnonzero(ids == end_of_document) + 1


def _megatron_ends(file: TokenFile, index: MegatronIndex) -> FindEnds:
    """Ends of documents by the .idx. Raises InputError when its sequences do not lie one after another."""
    lengths = _table(index, "<i4", index.lengths, index.sequences)
    offsets = _table(index, "<i8", index.offsets, index.sequences)
    borders = _table(index, "<i8", index.borders, index.documents)
    item = ITEM_BYTES[file.dtype]
    follows = np.concatenate(([0], offsets[:-1] + lengths[:-1] * np.int64(item)))[: len(offsets)]
    if (lengths < 0).any() or (offsets != follows).any() or ((borders < 0) | (borders > len(offsets))).any():
        raise unreadable(index.path, "its sequences do not lie one after another")
    starts = np.append(offsets // item, file.count)[borders]
    ends = np.unique(starts)[1:] if len(starts) else starts

    def find(start: int, ids: Tokens) -> Ends:
        low, high = np.searchsorted(ends, (start, start + len(ids)), side="right")
        return ends[low:high] - start

    return find


def _table(index: MegatronIndex, dtype: str, start: int, count: int) -> NDArray[np.signedinteger]:
    with index.path.open("rb") as file:
        file.seek(start)
        return np.frombuffer(file.read(count * np.dtype(dtype).itemsize), dtype)


def token_documents(block: TokenBlock) -> Iterator[TokenDocument]:
    """The documents of a block, as the ids of the run. Raises InputError for an id that is not of the vocabulary."""
    _refuse_beyond(block)
    ids = block.ids.astype(token_type(block.meaning.vocab_size))
    end_mark = ids.dtype.type(block.meaning.end_of_document)
    for start, end in pairwise((0, *block.ends)):
        here = ids[start:end]
        text = _without_end(here, block.meaning)
        if block.part is None and not len(text):  # an end alone ends nothing
            continue
        digest = hashlib.blake2b(text.tobytes(), digest_size=8)
        part = block.part or TextPart(text_number(digest), first=True, last=True)
        yield TokenDocument(np.append(text, end_mark) if part.last else here, part)


def _refuse_beyond(block: TokenBlock) -> None:
    wrong = np.flatnonzero((block.ids < 0) | (block.ids >= block.meaning.vocab_size))
    if len(wrong):
        place = block.first + int(wrong[0])
        message = (
            f"{block.path}: id {block.ids[wrong[0]]} (number {place:,} of the file, byte "
            f"{block.start + place * block.ids.itemsize:,}) is beyond the vocabulary of {block.meaning.vocab_size}"
        )
        remedy = "Name the tokenizer that made the ids, and the type that they are stored in."
        raise InputError.one("TW858", message, remedy, "data.train")
