"""The index of a dataset: what prepared shards hold, source by source. Preparation writes it, training reads it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from operator import not_
from typing import Literal

from pydantic import Field

from .corpus import Split
from .frozen import Frozen


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
    lengths: tuple[int, ...] = ()  # documents of 2^n to 2^(n+1) - 1 tokens, marks included, for n = 0, 1, ...


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
    licence: str | None = Field(default=None, exclude_if=not_)  # as the spec says it
    origin: str | None = Field(default=None, exclude_if=not_)


class Index(Frozen):
    """Everything known about the shards of a run."""

    version: Literal[1] = 1
    dtype: Literal["uint16", "uint32"]
    vocab_size: int
    begin_of_document: int | None  # None where documents begin without a mark
    end_of_document: int
    tokenizer_sha256: str
    fingerprint: str
    unigram_entropy: float  # nats per held-out token
    train: tuple[SourcePart, ...]
    validation: tuple[SourcePart, ...]
    sources: tuple[SourceFacts, ...] = ()  # the training text, and the held-out text where it is a source of its own

    def parts(self, split: Split) -> tuple[SourcePart, ...]:
        """The sources of one split."""
        return self.train if split == "train" else self.validation

    @property
    def shards(self) -> list[Shard]:
        """The files of both splits."""
        return [shard for part in (*self.train, *self.validation) for shard in part.shards]


def joined(parts: Sequence[SourcePart]) -> SourcePart:
    """Parts of one source, in order, as one."""
    return SourcePart(
        path=parts[0].path,
        documents=sum(part.documents for part in parts),
        bytes=sum(part.bytes for part in parts),
        tokens=sum(part.tokens for part in parts),
        shards=tuple(shard for part in parts for shard in part.shards),
        lengths=tuple(map(sum, zip_longest(*(part.lengths for part in parts), fillvalue=0))),
    )
