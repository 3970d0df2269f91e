"""A tokenizer from elsewhere: what it must have to be trained with, and exported with the same ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import sentencepiece

from ...spec.problem import InputError, Problem
from ...spec.sections import Tokenizer as Settings

_DIGITS_TOGETHER = re.compile(r"[0-9]")


def refuse_unfit(path: Path, settings: Settings, samples: Iterable[str]) -> None:
    """Raise InputError with every reason why a run must not be trained with the SentencePiece model at `path`."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    problems = list(_faults(model, settings))
    if not problems:
        # A tokenizer that was trained here needs no such proof, nor the library for it.
        from ..huggingface.same_ids import HARD_TEXTS, why_not_exportable

        reason = why_not_exportable(path, (*HARD_TEXTS, *samples))
        if reason:
            remedy = "Train a tokenizer instead, or use one whose normalisation is identity."
            message = f"{settings.path} could not be exported with the same ids: {reason}"
            problems.append(Problem("TW826", "error", message, remedy, "tokenizer.path"))
    if problems:
        raise InputError(problems)


def _faults(model: sentencepiece.SentencePieceProcessor, settings: Settings) -> Iterator[Problem]:
    for number, what, name in ((model.bos_id(), "begin", "bos"), (model.eos_id(), "end", "eos")):
        if number < 0:
            message = f"{settings.path} has no piece for the {what} of a document ({name}_id is -1)"
            yield Problem("TW825", "error", message, f"Train it with --{name}_id.", "tokenizer.path")
    for key, asked, has in (
        ("byte_fallback", settings.byte_fallback, any(map(model.is_byte, range(model.vocab_size())))),
        ("split_digits", settings.split_digits, _splits_digits(model)),
    ):
        if asked != has:
            message = (
                f"{settings.path} {'has' if has else 'does not have'} {key}, and the spec says {str(asked).lower()}"
            )
            yield Problem("TW825", "error", message, f"Write tokenizer.{key}: {str(has).lower()}.", f"tokenizer.{key}")


def _splits_digits(model: sentencepiece.SentencePieceProcessor) -> bool:
    """Whether no piece of text holds a digit beside another character."""
    normal = (
        n for n in range(model.vocab_size()) if not (model.is_byte(n) or model.is_control(n) or model.is_unknown(n))
    )
    return not any(len(piece) > 1 and _DIGITS_TOGETHER.search(piece) for piece in map(model.id_to_piece, normal))
