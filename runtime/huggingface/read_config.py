"""config.json of a Hugging Face model as the model section of a spec: exactly that model, or refused with reasons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from ...spec.foreign_files import parse_json, read_linked
from ...spec.model_family import FAMILIES, Family
from ...spec.problem import InputError, Problem
from ...spec.sections import Model
from .read_layers import every_nth_window, every_nth_without_rope
from .read_rope import read_rope

# What our architecture fixes: the key of config.json, the value it must have, and what it has when it is left out.
_FIXED: tuple[tuple[str, object, object], ...] = (
    ("hidden_act", "silu", "silu"),
    ("attention_bias", False, False),
    ("mlp_bias", False, False),
    ("attention_dropout", 0.0, 0.0),
    ("partial_rotary_factor", 1.0, 1.0),
)
_SIZES = {
    *("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads"),
    *("vocab_size", "tie_word_embeddings", "rope_theta", "rms_norm_eps", "initializer_range", "head_dim"),
    *("rope_parameters", "rope_scaling", "model_type"),
}
_WINDOWS = {"none": set[str](), "all": {"sliding_window"}, "layers": {"sliding_window", "layer_types"}}
_SWITCHED = {"use_sliding_window", "max_window_layers"}
_WITHOUT_ROPE = {"no_rope_layers", "no_rope_layer_interval"}
# Keys without influence on what a trained model computes; pretraining_tp cuts products, which changes rounding alone.
_WITHOUT_EFFECT = {
    *("architectures", "bos_token_id", "dtype", "eos_token_id", "max_position_embeddings", "pad_token_id"),
    *("torch_dtype", "transformers_version", "use_cache", "_name_or_path", "pretraining_tp"),
    *("max_sequence_length", "output_attentions", "output_hidden_states", "return_dict", "unk_token_id"),
}
_LARGEST_CONFIG = 2**20  # bytes


def read_model(folder: Path) -> Model:
    """The model section of a spec for the config.json of `folder`. Raises InputError for what we cannot train."""
    config = _config(folder / "config.json")
    family = next((known for known in FAMILIES if known.model_type == config.get("model_type")), None)
    if family is None:
        known = ", ".join(each.model_type for each in FAMILIES)
        _refuse(folder, [f"model_type is {config.get('model_type')!r}, not one of {known}"])
    config = {**family.defaults, **config}
    wrong = list(_other_values(config, family))
    if wrong:
        _refuse(folder, wrong)
    try:
        return _model(config, family)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise InputError.one("TW883", f"{folder}/config.json: {error}", "Complete it.", "SOURCE") from error


def _refuse(folder: Path, wrong: list[str]) -> NoReturn:
    remedy = "Only some architectures can be trained: `trainwright explain TW883`."
    raise InputError(tuple(Problem("TW883", "error", f"{folder}: {why}", remedy, "SOURCE") for why in wrong))


def _config(path: Path) -> dict[str, Any]:
    try:
        config = parse_json(read_linked(path, _LARGEST_CONFIG))
    except (OSError, ValueError) as error:
        message = f"{path.parent} has no readable config.json: {error}"
        raise InputError.one("TW883", message, "Name a folder in the Hugging Face layout.", "SOURCE") from error
    if not isinstance(config, dict):
        raise InputError.one("TW883", f"{path} is not a JSON object", "Download it again.", "SOURCE")
    return config


def _other_values(config: dict[str, Any], family: Family) -> Iterator[str]:
    """What a config says that our architecture does not do, and keys whose meaning we do not know."""
    for key, right, default in _FIXED:
        if config.get(key, default) != right:
            yield f"{key} is {config.get(key, default)!r}"
    known = {key for key, _, _ in _FIXED} | _SIZES | _WITHOUT_EFFECT | _WINDOWS[family.windows]
    known |= (_SWITCHED if family.switched else set()) | (_WITHOUT_ROPE if family.no_rope else set())
    for key in sorted(config.keys() - known):
        if config[key] is not None:
            yield f"the meaning of {key} is not known"
    for read in (read_rope, every_nth_window, every_nth_without_rope):
        try:
            read(config, family)
        except (TypeError, ValueError) as error:
            yield str(error)


def _model(config: dict[str, Any], family: Family) -> Model:
    heads, width = config["num_attention_heads"], config["hidden_size"]
    head_size = config.get("head_dim")
    theta, scaling = read_rope(config, family)
    window, full_every = every_nth_window(config, family)
    model = Model(
        layers=config["num_hidden_layers"],
        hidden_size=width,
        ffn_size=config["intermediate_size"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        vocab_size=config["vocab_size"],
        tied_embeddings=config["tie_word_embeddings"],
        head_size=None if head_size is None or head_size * heads == width else head_size,
        qkv_biases=family.qkv_biases,
        qk_norm=family.qk_norm,
        norm_after=family.norm_after,
        rope_theta=theta,
        rope_scaling=scaling,
        no_rope_every=every_nth_without_rope(config, family),
        sliding_window=window,
        full_attention_every=full_every,
        norm_eps=config["rms_norm_eps"],
        init_std=config.get("initializer_range", 0.02),
    )
    if (model.head_size is None and width % heads) or heads % model.kv_heads or model.shape.head_size % 2:
        raise ValueError("the heads do not divide hidden_size, or the key/value heads the heads, or a head is odd")
    return model
