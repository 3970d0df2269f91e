"""The proof of an export's tokenizer: the ids that training used, from Hugging Face's tokenizers, on every sample."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import tokenizers

from ..data.tokenizer import Tokenizer
from .tokenizer_json import UntranslatableError, tokenizer_json

# Where tokenizers differ: scripts, combining marks, joined emoji, digits, code, spaces, control characters, marks.
HARD_TEXTS = (
    "The quick brown fox  jumps over 1,234.50 lazy dogs; isn't it?\n",
    "  leading, trailing and   inner spaces  ",
    "\tdef f(x):\n\t\treturn x**2  # comment\r\n\n\n",
    "Größe naïve façade Ελληνικά русский עברית العربية हिन्दी ไทย 中文 日本語 한국어",
    "e\u0301 \u1e9b\u0323 \ufb01 \u2460 \uff21\uff22 \u00bd x\u00b2 \u2122",  # what NFKC rewrites
    "\u200b\u200d\ufeff\u00a0\u3000\u2028|\u0000\u0007\u001b[0m",
    "👩‍👩‍👧‍👦 🇫🇷 👍🏽 \U0001f9d1\u200d\U0001f680",
    "<s> </s> <unk> <pad> <0x41> [INST] <|endoftext|> \u2581a \u2581\u2581",
    "0 00 007 3.14159 1e-9 0xff ١٢٣ Ⅷ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\n",
    " ",
    "",
)

_LONGEST = 2000  # characters of a sample


def first_difference(path: Path, texts: Iterable[str]) -> str | None:
    """The first text that the export of a SentencePiece model gives other ids than the model, or None.

    Raises UntranslatableError for a model that cannot be exported at all.
    """
    ours = Tokenizer(path)
    theirs = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json(path)))
    theirs.encode_special_tokens = True
    for text in (part[:_LONGEST] for part in texts):  # tokenizers takes seconds for a long text without borders
        if theirs.encode(text, add_special_tokens=False).ids != ours.encode(text).tolist():
            return text
    return None


def why_not_exportable(path: Path, texts: Iterable[str]) -> str | None:
    """Why a run with this tokenizer cannot be exported with the same ids of `texts`, in words; None when it can."""
    try:
        text = first_difference(path, texts)
    except UntranslatableError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - tokenizers raises Exception itself for what it cannot build
        return f"Hugging Face's tokenizers refuses it: {error}"
    return None if text is None else f"Hugging Face's tokenizers gives other ids for {text[:60]!r}"
