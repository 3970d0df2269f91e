"""A tokenizer.json of Hugging Face's tokenizers library: byte-level BPE as in Llama 3 and GPT-2, or any other.

The library itself encodes, so the ids are its own. The mark that begins a document is the one that its post-processor
puts before a text; the one that ends it is `eos_token` of the tokenizer_config.json beside it. Marks that are written
in a text are text.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
from numpy.typing import NDArray

from ...spec.foreign_files import parse_json, read_linked
from ...spec.problem import InputError
from .tokenizer import LARGEST_MODEL

CONFIG = "tokenizer_config.json"
_REMEDY = "Give the tokenizer.json and tokenizer_config.json of the model that it belongs to."


class JsonTokenizer:
    """As `Tokenizer`, from the contents of tokenizer.json and tokenizer_config.json; `name` is for messages.

    Raises InputError when the library refuses it, or a run cannot be trained with it.
    """

    by_word = False  # what a text's pieces give depends on patterns of its own

    def __init__(self, content: bytes, config: bytes, name: str) -> None:
        self._name = name
        try:
            self._model = tokenizers.Tokenizer.from_str(content.decode())
        except Exception as error:  # tokenizers raises Exception itself
            raise self._refused("TW821", f"is not a tokenizer.json: {error}") from error
        self._model.no_truncation()
        self._model.no_padding()
        self._model.encode_special_tokens = True
        if getattr(self._model.model, "dropout", None):
            raise self._refused("TW825", "gives a text other ids each time (dropout)")
        self.vocab_size: int = max(self._model.get_vocab().values(), default=0) + 1
        self.dtype = np.dtype(np.uint16 if self.vocab_size <= 2**16 else np.uint32)
        self.begin: int | None = self._begin()
        self.end: int = self._end(config)
        if self.begin == self.end:
            raise self._refused("TW825", "begins and ends a document with the same mark")

    def encode(self, text: str, *, continued: bool = False) -> NDArray[np.unsignedinteger]:
        """Ids [n] of `text`, without begin and end marks; never `continued`, since it is not `by_word`."""
        del continued
        return np.array(self._model.encode(text, add_special_tokens=False).ids, dtype=self.dtype)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; marks vanish."""
        return self._model.decode([int(number) for number in ids], skip_special_tokens=True)

    def mark(self, number: int | None) -> str | None:
        """How a mark is written."""
        return None if number is None else self._model.id_to_token(number)

    def _begin(self) -> int | None:
        """The id that the library puts before a text, if any."""
        plain = self._model.encode("a", add_special_tokens=False).ids
        marked = self._model.encode("a").ids
        if marked == plain:
            return None
        if marked[1:] != plain:
            raise self._refused("TW825", "adds more to a text than one mark before it (post_processor)")
        return marked[0]

    def _end(self, config: bytes) -> int:
        mark = _eos_token(config)
        if mark is None:
            raise self._refused("TW825", f"has no eos_token in its {CONFIG}")
        number = self._model.token_to_id(mark)
        special = [token.content for token in self._model.get_added_tokens_decoder().values() if token.special]
        if number is None or mark not in special or number in self.encode(mark):
            raise self._refused("TW825", f"has no special token {mark!r} (eos_token): text could hold it")
        return number

    def _refused(self, code: str, what: str) -> InputError:
        return InputError.one(code, f"{self._name} {what}", _REMEDY, "tokenizer.path")


def _eos_token(config: bytes) -> str | None:
    try:
        found: Any = parse_json(config)
    except ValueError:
        return None
    mark = found.get("eos_token") if isinstance(found, dict) else None
    mark = mark.get("content") if isinstance(mark, dict) else mark
    return mark if isinstance(mark, str) else None


def open_json_tokenizer(path: Path) -> JsonTokenizer:
    """The tokenizer in a file and in the configuration beside it."""
    return JsonTokenizer(read_part(path), read_part(path.with_name(CONFIG)), str(path))


def read_part(path: Path) -> bytes:
    """A file of a tokenizer. Raises InputError TW821 when it cannot be read."""
    try:
        return read_linked(path, LARGEST_MODEL)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        remedy = f"{CONFIG} belongs beside tokenizer.json." if path.name == CONFIG else "Correct the path."
        raise InputError.one("TW821", f"{path} cannot be read: {reason}", remedy, "tokenizer.path") from error
