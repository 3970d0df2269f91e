"""A SentencePiece model as tokenizer.json of Hugging Face's tokenizers library, for exports."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sentencepiece

from ..data.sentencepiece_model import KINDS, USER_DEFINED, describe

SPACE = "\u2581"
_NEVER = -1e6  # a score that no text is worth: marks and bytes are no pieces of text
_STRIP_PREFIX = {"type": "Strip", "content": " ", "start": 1, "stop": 0}


class UntranslatableError(Exception):
    """A model that tokenizers cannot express; the argument completes "it cannot be exported: ..."."""


def tokenizer_json(path: Path) -> dict[str, Any]:
    """tokenizer.json: a SentencePiece model in the terms of Hugging Face's tokenizers library.

    Raises UntranslatableError for a model that cannot be put in these terms.
    """
    content = path.read_bytes()
    model = sentencepiece.SentencePieceProcessor(model_proto=content)
    described = describe(content)
    kind = _kind(described)
    pieces = [model.id_to_piece(number) for number in range(model.vocab_size())]
    begin, uncut = pieces[model.bos_id()], set(symbols(described))
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _added(number, piece, special=_is_mark(model, number))
            for number, piece in enumerate(pieces)
            if _is_mark(model, number) or piece in uncut
        ],
        "normalizer": {"type": "Sequence", "normalizers": list(_normalizers(described.normalizer_spec))},
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [_special(begin), _sequence("A", 0)],
            "pair": [_special(begin), _sequence("A", 0), _special(begin), _sequence("B", 1)],
            "special_tokens": {begin: {"id": begin, "ids": [model.bos_id()], "tokens": [begin]}},
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                *([_STRIP_PREFIX] if described.normalizer_spec.add_dummy_prefix else []),
            ],
        },
        "model": _bpe(model, pieces) if kind == "bpe" else _unigram(model, pieces),
    }


def _kind(described: Any) -> str:
    """`bpe` or `unigram`. Raises UntranslatableError for the others, and for what has no counterpart."""
    trainer = described.trainer_spec
    kind = KINDS.get(trainer.model_type, "unknown")
    if kind not in {"bpe", "unigram"}:
        raise UntranslatableError(f"its model type is {kind}, not bpe or unigram")
    if trainer.treat_whitespace_as_suffix:
        raise UntranslatableError("it puts spaces at the end of words (treat_whitespace_as_suffix)")
    if described.normalizer_spec.add_dummy_prefix and symbols(described):
        raise UntranslatableError(
            f"it has user-defined symbols ({', '.join(symbols(described)[:3])}) and add_dummy_prefix"
        )
    if not described.normalizer_spec.escape_whitespaces:
        raise UntranslatableError("it keeps spaces as they are (escape_whitespaces)")
    return kind


def _normalizers(spec: Any) -> Iterator[dict[str, Any]]:
    """What SentencePiece does with a text before it looks for pieces, in its order."""
    if spec.precompiled_charsmap:
        charsmap = base64.b64encode(spec.precompiled_charsmap).decode()
        yield {"type": "Precompiled", "precompiled_charsmap": charsmap}
    if spec.remove_extra_whitespaces:
        yield {"type": "Replace", "pattern": {"Regex": f"\\A +|[ {SPACE}]+\\z"}, "content": ""}
        yield {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    if spec.add_dummy_prefix:
        yield {"type": "Prepend", "prepend": SPACE}
    yield {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}


def symbols(described: Any) -> list[str]:
    """The pieces that are never cut, wherever they stand."""
    return [piece.piece for piece in described.pieces if piece.type == USER_DEFINED]


def _bpe(model: sentencepiece.SentencePieceProcessor, pieces: list[str]) -> dict[str, Any]:
    """The vocabulary, and as merges every way to put a piece together, in the order of the pieces' scores."""
    normal = {p: n for n, p in enumerate(pieces) if not model.is_byte(n) and not _is_mark(model, n)}
    merges = [
        (-model.get_score(number), normal[piece[:cut]], normal[piece[cut:]])
        for piece, number in normal.items()
        for cut in range(1, len(piece))
        if piece[:cut] in normal and piece[cut:] in normal
    ]
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": pieces[model.unk_id()],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": _has_bytes(model),
        "vocab": {piece: number for number, piece in enumerate(pieces)},
        "merges": [f"{pieces[left]} {pieces[right]}" for _, left, right in sorted(merges)],
    }


def _unigram(model: sentencepiece.SentencePieceProcessor, pieces: list[str]) -> dict[str, Any]:
    return {
        "type": "Unigram",
        "unk_id": model.unk_id(),
        "vocab": [
            [piece, _NEVER if _is_mark(model, number) or model.is_byte(number) else model.get_score(number)]
            for number, piece in enumerate(pieces)
        ],
        "byte_fallback": _has_bytes(model),
    }


def _has_bytes(model: sentencepiece.SentencePieceProcessor) -> bool:
    return any(model.is_byte(number) for number in range(model.vocab_size()))


def _is_mark(model: sentencepiece.SentencePieceProcessor, number: int) -> bool:
    return model.is_control(number) or model.is_unknown(number)


def _added(number: int, piece: str, *, special: bool) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special}
    return {"id": number, "content": piece, **flags}


def _special(piece: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": piece, "type_id": 0}}


def _sequence(name: str, number: int) -> dict[str, Any]:
    return {"Sequence": {"id": name, "type_id": number}}
