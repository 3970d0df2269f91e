"""The sections about text: the tokenizer, the sources of the corpus, and what of them is read."""

from __future__ import annotations

from operator import not_
from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat

from .quantity import Bytes, Fraction, Tokens
from .section import Section, Size
from .text_types import FileGlob, Key, Note

Split = Literal["train", "validation"]


class Tokenizer(Section):
    """A SentencePiece tokenizer trained on the corpus, or an existing one of SentencePiece or Hugging Face."""

    algorithm: Literal["bpe", "unigram"] = Field(default="bpe", description="SentencePiece model type.")
    vocab_size: Size = Field(description="Pieces in all, byte and control pieces included.")
    split_digits: bool = Field(default=True, description="Every digit is a piece of its own (Llama 2, section 2.2).")
    byte_fallback: bool = Field(default=True, description="Unknown characters become UTF-8 bytes; nothing is lost.")
    character_coverage: Fraction = Field(
        default=0.99995,
        ge=0.98,  # SentencePiece's own bound
        le=1,
        description="Share of the text's characters with a piece of their own, 0.98 at least (SentencePiece).",
    )
    path: FileGlob | None = Field(
        default=None,
        description="A trained tokenizer to use instead: a SentencePiece .model, or a tokenizer.json with its "
        "tokenizer_config.json.",
    )
    training_bytes: Bytes = Field(default=200 * 10**6, description="At most this much text trains the tokenizer.")


class TokenIds(Section):
    """What the ids in token files mean: those of the run's tokenizer."""

    vocab_size: Size = Field(description="Vocabulary of the tokenizer that made the ids; all of them are below it.")
    end_of_document: NonNegativeInt = Field(description="The id that ends a document.")
    dtype: Literal["uint16", "uint32"] | None = Field(
        default=None, description="Type of the ids in a flat .bin; .npy files and Megatron's .idx name it themselves."
    )


class CorpusSource(Section):
    """One part of the corpus."""

    path: FileGlob = Field(
        description="Glob of *.txt, *.jsonl or *.json files, plain or compressed (.gz, .zst, .bz2, .xz), or of "
        "*.parquet, relative to the spec; or python:stdlib; with token_ids, of *.bin or *.npy. Also in a store: s3://, "
        "gs://, hf://, file://."
    )
    field: Key = Field(default="text", description="Field of a JSON line, or column of a table, that holds the text.")
    token_ids: TokenIds | None = Field(
        default=None,
        exclude_if=not_,  # specs from before there was this keep their digest
        description="The files hold tokens already: Megatron's .bin and .idx, or flat .npy or .bin.",
    )
    licence: Note | None = Field(
        default=None,
        exclude_if=not_,
        description="Licence of the text, e.g. ODC-By-1.0: kept with the dataset.",
    )
    origin: Note | None = Field(
        default=None,
        exclude_if=not_,
        description="Where the text is from, in words: kept with the dataset.",
    )
    weight: PositiveFloat | None = Field(
        default=None,
        description="Relative share of this source in the mixture. Written in none, sources give as much as they have: "
        "every text is seen equally often.",
    )


class Data(Section):
    """What is read, how much of it, and in which order."""

    train: tuple[CorpusSource, ...] = Field(min_length=1, description="Sources of training text.")
    validation: Fraction = Field(default=0.01, gt=0, lt=0.5, description="Share of documents held out of training.")
    validation_source: CorpusSource | None = Field(
        default=None,
        exclude_if=not_,  # specs from before there was this keep their digest
        description="Held-out text of its own, a glob or a mapping: then nothing is held out of the training text.",
    )
    deduplicate: bool = Field(
        default=False,
        exclude_if=not_,
        description="Leave out documents that are equal to an earlier one, of any source, and count them.",
    )
    store: FileGlob | None = Field(
        default=None,
        exclude_if=not_,
        description="Folder of prepared datasets, shared by all runs that name it; default: .datasets beside the run.",
    )
    tokens: Tokens = Field(gt=0, description="Training tokens to see in all.")
    seed: NonNegativeInt = Field(default=0, description="Seed of the sample order.")
    on_bad_document: Literal["refuse", "skip"] = Field(
        default="refuse", description="Refuse text that cannot be read, or leave such documents out and count them."
    )
    max_document: Bytes = Field(
        default=2**26,
        gt=0,
        description="Longest line of JSON, and longest text of a tokenizer that needs it in one piece.",
    )
    max_expansion: PositiveFloat = Field(
        default=1000.0, description="Compressed files expand at most this many times, beyond a first 64 MiB."
    )
    document_attention: Literal["across", "within"] = Field(
        default="across", description="Whether attention may cross document borders inside one packed sequence."
    )

    @property
    def sources(self) -> tuple[CorpusSource, ...]:
        """Everything that is read, the held-out text last."""
        return self.train if self.validation_source is None else (*self.train, self.validation_source)

    @property
    def keys(self) -> tuple[str, ...]:
        """Where each of `sources` stands in a spec."""
        return (*(f"data.train.{index}" for index in range(len(self.train))), "data.validation_source")

    def split(self, split: Split) -> tuple[CorpusSource, ...]:
        """The sources that give a split its text."""
        own = split == "validation" and self.validation_source is not None
        return self.sources[-1:] if own else self.train
