"""Tokens on disk: flat files of 16- or 32-bit ids, and one index with their sizes and hashes.

    data/index.json                     see `Index`
    data/train-00-00000.bin             source 0's training tokens, little-endian, `<s> document </s>` after another
    data/validation-00-00000.bin        documents held out

Document borders need no list: the end-of-document id never occurs inside a document.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from ...spec.corpus import Split
from ...spec.foreign_files import read_foreign
from ...spec.frozen import Frozen
from ...spec.problem import InputError

Tokens = NDArray[np.unsignedinteger]

SHARD_TOKENS = 2**28  # 512 MiB of 16-bit ids: 2T tokens are 7,451 files


class Shard(Frozen):
    """One file of tokens."""

    file: str
    tokens: int
    sha256: str


class SourcePart(Frozen):
    """What one source of the corpus gave to one split."""

    path: str
    documents: int
    bytes: int  # of text; files of tokens have none
    tokens: int
    shards: tuple[Shard, ...]


class Skipped(Frozen):
    """Documents of a source that could not be used, for one reason."""

    code: str  # of the problem, as `trainwright explain` knows it
    documents: int
    examples: tuple[str, ...]


class SourceFacts(Frozen):
    """How a source was read."""

    files: int
    left_out: str  # what its pattern matches and was not read, in words
    skipped: tuple[Skipped, ...]
    duplicates: int = 0  # documents that are equal to an earlier one, where they are left out


class Index(Frozen):
    """Everything known about the shards of a run."""

    version: Literal[1] = 1
    dtype: Literal["uint16", "uint32"]
    vocab_size: int
    begin_of_document: int | None  # None where documents begin without a mark
    end_of_document: int
    tokenizer_sha256: str
    fingerprint: str
    unigram_entropy: float  # nats per held-out token; see `unigram_entropy`
    train: tuple[SourcePart, ...]
    validation: tuple[SourcePart, ...]
    sources: tuple[SourceFacts, ...] = ()  # the training text, and the held-out text where it is a source of its own

    def parts(self, split: Split) -> tuple[SourcePart, ...]:
        """The sources of one split."""
        return self.train if split == "train" else self.validation


def token_type(vocab_size: int) -> Literal["uint16", "uint32"]:
    """The smallest id type that holds the vocabulary."""
    return "uint16" if vocab_size <= 2**16 else "uint32"


def file_sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_index(folder: Path) -> Index:
    """The index of a data folder. Raises InputError TW811 when there is none or it is damaged."""
    try:
        return Index.model_validate_json(read_foreign(folder / "index.json"))
    except (OSError, ValueError) as error:
        raise InputError.one(
            "TW811", f"{folder / 'index.json'} cannot be read: {error}", "Remove the data folder and launch again."
        ) from error


def shard_damage(folder: Path, shard: Shard) -> str | None:
    """What is wrong with a shard's bytes, or None; reads all of them."""
    path = folder / shard.file
    try:
        found = file_sha256(path)
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None if found == shard.sha256 else f"{path} does not have the hash that the index records"


class ShardWriter:
    """Cuts one stream of tokens into shards as it comes, hashing on the way."""

    def __init__(self, folder: Path, stem: str, dtype: str) -> None:
        self.folder, self.stem, self.dtype = folder, stem, np.dtype(dtype).newbyteorder("<")
        self.shards: list[Shard] = []
        self.tokens = 0
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()

    def write(self, tokens: Tokens) -> None:
        """Append tokens; a full shard is closed and the next begun."""
        self.tokens += len(tokens)
        while len(tokens):
            if self._file is None:
                self._file = (self.folder / f"{self.stem}-{len(self.shards):05d}.bin").open("xb")
                self._digest = hashlib.sha256()
            here = tokens[: SHARD_TOKENS - self._file.tell() // self.dtype.itemsize]
            payload = here.astype(self.dtype).tobytes()
            self._file.write(payload)
            self._digest.update(payload)
            tokens = tokens[len(here) :]
            if self._file.tell() == SHARD_TOKENS * self.dtype.itemsize:
                self.close()

    def close(self) -> None:
        """Finish the shard in hand, safely on disk."""
        if self._file is None:
            return
        tokens = self._file.tell() // self.dtype.itemsize
        self._file.flush()
        os.fsync(self._file.fileno())
        self.shards.append(Shard(file=Path(self._file.name).name, tokens=tokens, sha256=self._digest.hexdigest()))
        self._file.close()
        self._file = None

    def abandon(self) -> None:
        """Let go of an unfinished shard; what its buffer holds may not fit on the disk."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
