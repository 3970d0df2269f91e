"""The one reader of a SentencePiece model's own description: normaliser, kind, and types of its pieces."""

from __future__ import annotations

from typing import Any

from sentencepiece import sentencepiece_model_pb2 as messages

USER_DEFINED = 4  # types of pieces, and of models below: numbers of sentencepiece_model.proto
KINDS = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}


def describe(content: bytes) -> Any:
    """The `ModelProto` in the bytes of a .model file."""
    return messages.ModelProto.FromString(content)  # pyright: ignore[reportAttributeAccessIssue] - made at run time
