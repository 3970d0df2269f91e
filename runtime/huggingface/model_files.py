"""The Hugging Face layout: the files beside the weights, from a model's sizes and a SentencePiece tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sentencepiece

from ...spec.model_family import Family
from ...spec.sections import Model
from .read_layers import FULL, WINDOW
from .read_rope import rope_parameters


def config(model: Model, family: Family, context: int, dtype: str, marks: tuple[int | None, int]) -> dict[str, Any]:
    """config.json; `context` is the trained sequence length, `marks` the ids that begin and end a document."""
    rope = rope_parameters(model)
    return {
        **_by_layer(model, family),
        "architectures": [family.architecture],
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
        "model_type": family.model_type,
        "pad_token_id": None,
        "num_attention_heads": model.heads,
        "num_hidden_layers": model.layers,
        "num_key_value_heads": model.kv_heads,
        "rms_norm_eps": model.norm_eps,
        "rope_parameters": rope if family.scales_rope else {FULL: rope, WINDOW: rope},  # transformers 5
        "rope_theta": model.rope_theta,  # transformers 4 and llama.cpp
        **({"rope_scaling": rope} if model.rope_scaling else {}),
        "tie_word_embeddings": model.tied_embeddings,
        "torch_dtype": dtype,
        "vocab_size": model.vocab_size,
    }


def _by_layer(model: Model, family: Family) -> dict[str, Any]:
    """Windows and layers without positions, in the words of classes that have them."""
    layers, keys = range(model.layers), dict[str, Any]()
    if family.windows != "none":
        keys["sliding_window"] = model.sliding_window
    if family.windows == "layers":
        keys["layer_types"] = [FULL if model.window(layer) is None else WINDOW for layer in layers]
    if family.switched:
        keys["use_sliding_window"] = model.sliding_window is not None
    if family.no_rope:
        keys["no_rope_layers"] = [int(model.has_positions(layer)) for layer in layers]
    return keys


def generation_config(marks: tuple[int | None, int]) -> dict[str, Any]:
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
        "split_special_tokens": True,  # a mark that is written in a text is text, as in training
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": model.id_to_piece(model.unk_id()),
    }


def json_tokenizer_config(begin: str | None, end: str | None, context: int) -> dict[str, Any]:
    """tokenizer_config.json beside a tokenizer.json that was given: its post-processor adds the begin mark, if any."""
    return {
        "bos_token": begin,
        "clean_up_tokenization_spaces": False,
        "eos_token": end,
        "model_max_length": context,
        "split_special_tokens": True,  # a mark that is written in a text is text, as in training
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def dump(value: dict[str, Any]) -> bytes:
    """JSON as it is written into an export: the same bytes for the same value."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
