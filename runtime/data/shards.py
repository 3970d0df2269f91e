"""Tokens on disk: flat files of 16- or 32-bit ids, and one index with their sizes and hashes.

    data/index.json                     see `Index`
    data/train-00-00012-00000.bin       training tokens of source 0 from its unit 12, little-endian,
                                        `<s> document </s>` after another
    data/validation-00-00012-00000.bin  documents held out

Document borders need no list: the end-of-document id never occurs inside a document.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from ...spec.dataset_index import Index, Shard
from ...spec.foreign_files import read_foreign
from ...spec.problem import InputError

Tokens = NDArray[np.unsignedinteger]

SHARD_TOKENS = 2**28  # 512 MiB of 16-bit ids: 2T tokens are 7,451 files


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
        reason = error.strerror if isinstance(error, OSError) else "it is damaged"
        message = f"{folder / 'index.json'} cannot be read: {reason}"
        raise InputError.one("TW811", message, "Remove the data folder and launch again.") from error


def shard_damage(folder: Path, shard: Shard) -> str | None:
    """What is wrong with a shard's bytes, or None; reads all of them."""
    path = folder / shard.file
    try:
        found = file_sha256(path)
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None if found == shard.sha256 else f"{path} does not have the hash that the index records"


def damaged_shards(folder: Path, index: Index, workers: int) -> list[str]:
    """What is wrong with a dataset's bytes; reads all of them. Hashing lets go of the interpreter, so threads do."""
    with ThreadPoolExecutor(workers) as pool:
        return list(filter(None, pool.map(partial(shard_damage, folder), index.shards)))


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
