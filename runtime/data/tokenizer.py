"""SentencePiece as Llama 2 uses it: train a model on a sample of the corpus; encode and decode.

Nothing is lost but one character: U+2581, SentencePiece's own mark for a space, comes back as a space.

Encoding gives SentencePiece's own ids, faster: no piece of such a model reaches over the border between a word and the
spaces before the next one, or over a line end, so a merge never does either, and each distinct word is encoded once.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from ...spec.foreign_files import read_linked
from ...spec.problem import InputError
from ...spec.sections import Tokenizer as Settings
from .sentencepiece_model import describe

LARGEST_MODEL = 64 * 2**20  # bytes of a SentencePiece model; one of 256k pieces has about 5 MB
_SPACE_MARK = "\u2581"  # what SentencePiece writes for a space inside pieces
_WORD = re.compile(" *[^ \n]+| +|\n")
_CROSSING = re.compile(f"[^{_SPACE_MARK}]{_SPACE_MARK}|\n.|.\n", re.DOTALL)
_PROBE = "  a\n\n b  c \n"  # a foreign model may strip or not prefix spaces: then words are not independent
_CACHED_WORDS = 2**18
_CACHED_LENGTH = 64

_LONGEST_SENTENCE = 4192  # bytes; SentencePiece's default, it drops longer ones
_TOO_MANY = re.compile(r"value <= (\d+)")
_TOO_FEW = re.compile(r"required_chars\. \d+ vs (\d+)")


class Tokenizer:
    """A trained model. `encode` and `decode` are inverse for every text without U+2581 (with byte fallback)."""

    def __init__(self, path: Path) -> None:
        try:
            self._load(read_linked(path, LARGEST_MODEL))
        except (OSError, ValueError, RuntimeError, DecodeError) as error:
            raise InputError.one(
                "TW821", f"{path} is not a SentencePiece model", "Give the .model file itself.", "tokenizer.path"
            ) from error

    def _load(self, content: bytes) -> None:
        """Take in the model. Raises ValueError or RuntimeError for bytes that are none, or a damaged one."""
        if not content:
            raise ValueError("an empty file")
        self._model = sentencepiece.SentencePieceProcessor(model_proto=content)
        self.vocab_size: int = self._model.vocab_size()
        self.begin: int = self._model.bos_id()
        self.end: int = self._model.eos_id()
        self.dtype = np.dtype(np.uint16 if self.vocab_size <= 2**16 else np.uint32)
        pieces = [self._model.id_to_piece(number) for number in range(self.vocab_size)]
        self._words = _Words(self._model, self.dtype)
        plain = not describe(content).normalizer_spec.precompiled_charsmap
        self.by_word = plain and not any(_CROSSING.search(piece) for piece in pieces)
        self.by_word = self.by_word and self.encode(_PROBE).tolist() == self._model.encode(_PROBE)

    def encode(self, text: str, *, continued: bool = False) -> NDArray[np.unsignedinteger]:
        """Ids [n] of `text`, without begin and end marks. Raises UnicodeEncodeError for half a surrogate pair.

        A text that is `continued` follows another piece of its document, after a line end or before blanks, where it
        gets the ids that it has in the whole document; for that the tokenizer must be `by_word`.
        """
        if not text:
            return np.empty(0, dtype=self.dtype)
        if not self.by_word:
            return np.array(self._model.encode(text), dtype=self.dtype)
        text = text.replace(_SPACE_MARK, " ")
        packed = b"".join(map(self._words.__getitem__, _WORD.findall(text if continued else f" {text}")))
        return np.frombuffer(packed, dtype=self.dtype)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; marks vanish."""
        return self._model.decode([int(number) for number in ids])


class _Words(dict[str, bytes]):
    """Packed ids of each word seen, filled on demand."""

    def __init__(self, model: sentencepiece.SentencePieceProcessor, dtype: np.dtype[np.unsignedinteger]) -> None:
        super().__init__()
        self._model, self._dtype = model, dtype
        self._lead = len(model.encode("\n"))

    def __missing__(self, word: str) -> bytes:
        # SentencePiece puts a space before every text, but only the first word may have one: hide it behind a line end.
        ids = self._model.encode(f"\n{word}")[self._lead :]
        packed = np.array(ids, dtype=self._dtype).tobytes()
        if len(word) <= _CACHED_LENGTH:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = packed
        return packed


def train(texts: Sequence[str], settings: Settings) -> bytes:
    """A SentencePiece model trained on `texts`, the same bytes for the same texts.

    The texts are at hand, not read on the way: SentencePiece would hide an error of the reader behind its own.
    Raises InputError when the corpus does not support the vocabulary size, naming the size that it does support.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_sentences(texts),
            model_writer=model,
            model_type=settings.algorithm,
            vocab_size=settings.vocab_size,
            split_digits=settings.split_digits,
            byte_fallback=settings.byte_fallback,
            character_coverage=settings.character_coverage,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            allow_whitespace_only_pieces=True,
            num_threads=16,  # written into the model, so the same on every machine; the pieces do not depend on it
            minloglevel=2,
        )
    except RuntimeError as error:
        raise _refusal(str(error), settings) from error
    return model.getvalue()


def _sentences(texts: Iterable[str]) -> Iterator[str]:
    """Lines, cut where they are longer than SentencePiece takes; it skips lines with a tab, so tabs end them too."""
    longest = _LONGEST_SENTENCE // 4  # characters of at most four bytes
    for text in texts:
        for line in re.split("[\n\t\0]", text):
            yield from (line[start : start + longest] for start in range(0, len(line), longest))


def _refusal(message: str, settings: Settings) -> InputError:
    """SentencePiece's failure in the spec's terms."""
    size = f"a vocabulary of {settings.vocab_size}"
    if found := _TOO_MANY.search(message):
        return InputError.one(
            "TW822",
            f"{size} is larger than this corpus supports: at most {found.group(1)}",
            f"Write {found.group(1)} or less, or add text or training_bytes.",
            "tokenizer.vocab_size",
        )
    if found := _TOO_FEW.search(message):
        return InputError.one(
            "TW822",
            f"{size} does not hold the corpus's characters: at least {found.group(1)}",
            f"Write {found.group(1)} or more. A lower tokenizer.character_coverage (0.98 at least) needs fewer: "
            f"the rarest become {'bytes' if settings.byte_fallback else 'unknown'}.",
            "tokenizer.vocab_size",
        )
    if "sentences_.empty()" in message:
        return InputError.one("TW823", "the corpus holds no text to train a tokenizer on", "Add text.", "data.train")
    return InputError.one("TW822", f"SentencePiece refuses: {message}", "Change the tokenizer section.", "tokenizer")
