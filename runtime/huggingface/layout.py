"""The Hugging Face Llama layout: the files beside the weights, from a model's sizes and a SentencePiece tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sentencepiece

from ...spec.sections import Model

SPACE = "\u2581"


def config(model: Model, context: int, dtype: str, marks: tuple[int, int]) -> dict[str, Any]:
    """config.json; `context` is the trained sequence length, `marks` the ids that begin and end a document."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": marks[0],
        "dtype": dtype,
        "eos_token_id": marks[1],
        "head_dim": model.shape.head_size,
        "hidden_act": "silu",
        "hidden_size": model.hidden_size,
        "initializer_range": model.init_std,
        "intermediate_size": model.ffn_size,
        "max_position_embeddings": context,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": model.heads,
        "num_hidden_layers": model.layers,
        "num_key_value_heads": model.kv_heads,
        "rms_norm_eps": model.norm_eps,
        "rope_parameters": {"rope_theta": model.rope_theta, "rope_type": "default"},  # transformers 5
        "rope_theta": model.rope_theta,  # transformers 4 and llama.cpp
        "tie_word_embeddings": model.tied_embeddings,
        "torch_dtype": dtype,
        "vocab_size": model.vocab_size,
    }


def generation_config(marks: tuple[int, int]) -> dict[str, Any]:
    """generation_config.json."""
    return {"bos_token_id": marks[0], "eos_token_id": marks[1], "do_sample": True, "temperature": 0.8, "top_p": 0.95}


def tokenizer_config(path: Path, context: int) -> dict[str, Any]:
    """tokenizer_config.json: the class that takes tokenizer.json as it is.

    transformers' own LlamaTokenizer would lose a space at the start of a text.
    """
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": model.id_to_piece(model.bos_id()),
        "clean_up_tokenization_spaces": False,
        "eos_token": model.id_to_piece(model.eos_id()),
        "model_max_length": context,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": model.id_to_piece(model.unk_id()),
    }


def tokenizer_json(path: Path) -> dict[str, Any]:
    """tokenizer.json: a SentencePiece model in the terms of Hugging Face's tokenizers library."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    pieces = [model.id_to_piece(number) for number in range(model.vocab_size())]
    begin = pieces[model.bos_id()]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_mark(number, piece) for number, piece in enumerate(pieces) if _is_mark(model, number)],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": SPACE},
                {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
            ],
        },
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
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": _bpe(model, pieces) if _is_bpe(model) else _unigram(model, pieces),
    }


def _is_bpe(model: sentencepiece.SentencePieceProcessor) -> bool:
    """A BPE model scores its pieces 0, -1, -2, ... in the order of their merges; a unigram model by probability."""
    return all(model.get_score(number).is_integer() for number in range(model.vocab_size()))


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
        "vocab": [[piece, model.get_score(number)] for number, piece in enumerate(pieces)],
        "byte_fallback": _has_bytes(model),
    }


def _has_bytes(model: sentencepiece.SentencePieceProcessor) -> bool:
    return any(model.is_byte(number) for number in range(model.vocab_size()))


def _is_mark(model: sentencepiece.SentencePieceProcessor, number: int) -> bool:
    return model.is_control(number) or model.is_unknown(number)


def _mark(number: int, piece: str) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": piece, **flags}


def _special(piece: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": piece, "type_id": 0}}


def _sequence(name: str, number: int) -> dict[str, Any]:
    return {"Sequence": {"id": name, "type_id": number}}


def dump(value: dict[str, Any]) -> bytes:
    """JSON as it is written into an export: the same bytes for the same value."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
