"""From blocks to tokens: documents tokenized in parallel, held-out ones apart, in the order of the corpus.

Whether a document is held out depends on its bytes alone, so that copies of it are all on one side.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..data.open_tokenizer import open_tokenizer
from ..data.shards import Tokens
from .documents import HASHES, BadDocument, Block, Document, documents
from .token_blocks import TokenBlock, TokenDocument, token_documents

_LONGEST_TMPDIR = 107 - len("/pymp-01234567/listener-01234567")
_SHORT_PLACES = ("/tmp", "/var/tmp", "/dev/shm", ".")  # noqa: S108 - multiprocessing makes a private folder in it
_QUEUED_PER_WORKER = 8  # blocks read ahead; bounds memory whatever the size of the corpus

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """What one block gives to one split: of each document [n] its number, tokens, and bytes of text.

    Only a piece of a long document, which has a block of its own, is not both `first` and `last`.
    """

    tokens: Tokens
    numbers: NDArray[np.uint64]
    lengths: NDArray[np.int64]
    sizes: NDArray[np.int64]
    first: bool
    last: bool

    @property
    def documents(self) -> int:
        """Documents that end here."""
        return len(self.numbers) if self.last else 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """A tokenized block, the lowest document number in it, and what could not be used."""

    train: Piece
    validation: Piece
    lowest: int
    bad: tuple[BadDocument, ...]


class Encoder:
    """Turns blocks into tokens; one lives in every worker."""

    def __init__(self, tokenizer: Path) -> None:
        self.tokenizer = open_tokenizer(tokenizer)

    def __call__(self, block: Block | TokenBlock, held_out: float) -> Encoded:
        """Tokenize the documents of a block, a share of them held out; those of a token block are ids already."""
        limit = int(held_out * HASHES)
        sides: tuple[list[Document | TokenDocument], list[Document | TokenDocument]] = ([], [])
        bad: list[BadDocument] = []
        lowest = HASHES
        for document in token_documents(block) if isinstance(block, TokenBlock) else documents(block):
            if isinstance(document, BadDocument):
                bad.append(document)
                continue
            lowest = min(lowest, document.part.number)
            sides[document.part.number < limit].append(document)
        return Encoded(self._piece(sides[0]), self._piece(sides[1]), lowest, tuple(bad))

    def _piece(self, documents: list[Document | TokenDocument]) -> Piece:
        runs = [list(self._runs(document)) for document in documents]
        every = [ids for run in runs for ids in run]
        return Piece(
            tokens=np.concatenate(every) if every else np.empty(0, self.tokenizer.dtype),
            numbers=np.array([document.part.number for document in documents], np.uint64),
            lengths=np.array([sum(map(len, run)) for run in runs], np.int64),
            sizes=np.array([len(d.text.encode()) if isinstance(d, Document) else 0 for d in documents], np.int64),
            first=all(document.part.first for document in documents),
            last=all(document.part.last for document in documents),
        )

    def _runs(self, document: Document | TokenDocument) -> Iterator[NDArray[np.unsignedinteger]]:
        """Begin mark, text and end mark, each where the piece of text has it; or the ids that are there."""
        if isinstance(document, TokenDocument):
            yield document.ids
            return
        first, last = document.part.first, document.part.last
        if first and self.tokenizer.begin is not None:
            yield np.array([self.tokenizer.begin], self.tokenizer.dtype)
        yield self.tokenizer.encode(document.text, continued=not first)
        if last:
            yield np.array([self.tokenizer.end], self.tokenizer.dtype)


def _keep_socket_paths_short() -> None:
    """The fork server has a socket below TMPDIR, and the path of a socket is at most 107 bytes (unix(7))."""
    if len(os.fsencode(tempfile.gettempdir())) > _LONGEST_TMPDIR:
        tempfile.tempdir = next(place for place in _SHORT_PLACES if os.access(place, os.W_OK))


_encoder: list[Encoder] = []  # of this worker process


def _start(tokenizer: Path) -> None:
    _encoder[:] = [Encoder(tokenizer)]


def _encode(block: Block | TokenBlock, held_out: float) -> Encoded:
    return _encoder[0](block, held_out)


class Encoders:
    """A pool of workers that tokenizes blocks and gives the results in the order of the blocks."""

    def __init__(self, tokenizer: Path, workers: int) -> None:
        self._ahead = workers * _QUEUED_PER_WORKER
        _keep_socket_paths_short()
        context = get_context("forkserver")  # a plain fork would copy the threads' locks of the progress bar
        context.set_forkserver_preload([__name__])
        self._pool = ProcessPoolExecutor(workers, context, _start, (tokenizer,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __call__(
        self, blocks: Iterable[tuple[Block | TokenBlock, int]], held_out: float, advance: Advance
    ) -> Iterator[Encoded]:
        """Tokenize (block, bytes read with it) pairs; `advance` hears of the bytes as they are done."""
        queue: deque[tuple[Future[Encoded], int]] = deque()
        for block, size in blocks:
            queue.append((self._pool.submit(_encode, block, held_out), size))
            while len(queue) > self._ahead:
                yield _finished(queue, advance)
        while queue:
            yield _finished(queue, advance)


def _finished(queue: deque[tuple[Future[Encoded], int]], advance: Advance) -> Encoded:
    future, size = queue.popleft()
    result = future.result()
    advance(size)
    return result
