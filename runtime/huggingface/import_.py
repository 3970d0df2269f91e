"""A Hugging Face Llama checkpoint as the beginning of a run: checked, copied, and described in the spec's words.

Only safetensors are read: a pickle could run anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from ...spec.atomic_files import sync_folder
from ...spec.foreign_files import parse_json, read_linked
from ...spec.problem import InputError, Problem
from ...spec.run_parts import refuse_part_of_run
from ...spec.sections import Model
from ..checkpoint.full_weights import full_shapes
from .import_tokenizer import tokenizer_files

# What our architecture fixes: the key of config.json, the value it must have, and what it has when it is left out.
_FIXED: tuple[tuple[str, object, object], ...] = (
    ("model_type", "llama", None),
    ("hidden_act", "silu", "silu"),
    ("attention_bias", False, False),
    ("mlp_bias", False, False),
    ("attention_dropout", 0.0, 0.0),
    ("partial_rotary_factor", 1.0, 1.0),
    ("pretraining_tp", 1, 1),
)
_SIZES = {
    *("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads"),
    *("vocab_size", "tie_word_embeddings", "rope_theta", "rms_norm_eps", "initializer_range", "head_dim"),
}
# Keys without influence on what a trained model computes.
_WITHOUT_EFFECT = {
    *("architectures", "bos_token_id", "dtype", "eos_token_id", "max_position_embeddings", "pad_token_id"),
    *("rope_parameters", "rope_scaling", "torch_dtype", "transformers_version", "use_cache", "_name_or_path"),
    *("max_sequence_length", "output_attentions", "output_hidden_states", "return_dict", "unk_token_id"),
}
_LARGEST_CONFIG = 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """What a folder holds: the model, as a spec writes it, and the name of the tokenizer that came along, if any."""

    model: Model
    tokenizer: str | None


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder, links resolved. Raises InputError for one that is not a regular file."""
    paths = sorted(folder.glob("*.safetensors"))
    odd = [path.name for path in paths if not path.is_file()]
    if odd:
        raise InputError.one("TW884", f"{folder}: {odd[0]} is not a file", "Download it again.", "SOURCE")
    return [path.resolve() for path in paths]


class SafetensorsWeights:
    """The tensors of a folder's safetensors files, read one at a time."""

    def __init__(self, folder: Path) -> None:
        self.places: dict[str, Path] = {}
        for path in weight_files(folder):
            with safe_open(path, framework="pt") as file:
                self.places |= dict.fromkeys(file.keys(), path)

    def shape(self, name: str) -> torch.Size:
        """The shape of a tensor, without reading it."""
        with safe_open(self.places[name], framework="pt") as file:
            return torch.Size(file.get_slice(name).get_shape())

    def __call__(self, name: str) -> torch.Tensor:
        """A tensor."""
        with safe_open(self.places[name], framework="pt") as file:
            return file.get_tensor(name)


def import_model(source: Path, folder: Path) -> Imported:
    """Check the checkpoint in `source` and copy it to `folder`, which must not exist yet.

    Raises InputError with everything that is not a Llama as we train it; then nothing is written.
    """
    refuse_part_of_run(folder, "--out")
    if folder.exists():
        raise InputError.one("TW882", f"{folder} exists already", "Name a new folder.", "--out")
    model = read_model(source)
    check_numbers(source, check_weights(source, model))
    tokenizer = tokenizer_files(source, model.vocab_size)
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        for path in (*sorted(source.glob("*.safetensors")), source / "config.json", *tokenizer):
            if path.exists():
                shutil.copyfile(path, draft / path.name)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    sync_folder(folder.parent)
    return Imported(model, tokenizer[0].name if tokenizer else None)


def read_model(folder: Path) -> Model:
    """The model section of a spec for the config.json of a Llama. Raises InputError for what we cannot train."""
    config = _config(folder / "config.json")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    wrong = [*_other_values(config), *_other_rope(rope)]
    if wrong:
        problems = (
            Problem("TW883", "error", f"{folder}: {why}", "Only plain Llamas can be trained.", "SOURCE")
            for why in wrong
        )
        raise InputError(tuple(problems))
    try:
        return _model(config, rope)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise InputError.one("TW883", f"{folder}/config.json: {error}", "Complete it.", "SOURCE") from error


def _config(path: Path) -> dict[str, Any]:
    try:
        config = parse_json(read_linked(path, _LARGEST_CONFIG))
    except (OSError, ValueError) as error:
        message = f"{path.parent} has no readable config.json: {error}"
        raise InputError.one("TW883", message, "Name a folder in the Hugging Face layout.", "SOURCE") from error
    if not isinstance(config, dict):
        raise InputError.one("TW883", f"{path} is not a JSON object", "Download it again.", "SOURCE")
    return config


def _other_values(config: dict[str, Any]) -> Iterator[str]:
    """What a config says that our architecture does not do, and keys whose meaning we do not know."""
    fixed = {key for key, _, _ in _FIXED}
    for key, right, default in _FIXED:
        if config.get(key, default) != right:
            yield f"{key} is {config.get(key, default)!r}"
    heads, width, size = (config.get(key) for key in ("num_attention_heads", "hidden_size", "head_dim"))
    if size is not None and isinstance(heads, int) and isinstance(width, int) and size * heads != width:
        yield f"head_dim is {config['head_dim']!r}, not hidden_size / num_attention_heads"
    for key in sorted(config.keys() - fixed - _SIZES - _WITHOUT_EFFECT):
        if config[key] is not None:
            yield f"the meaning of {key} is not known"


def _other_rope(rope: Any) -> Iterator[str]:
    if not isinstance(rope, dict):
        yield f"its positions are {rope!r}"
    elif rope.get("rope_type", rope.get("type", "default")) != "default" or rope.keys() - {
        "rope_type",
        "type",
        "rope_theta",
    }:
        yield f"its positions are scaled ({rope})"


def _model(config: dict[str, Any], rope: dict[str, Any]) -> Model:
    model = Model(
        layers=config["num_hidden_layers"],
        hidden_size=config["hidden_size"],
        ffn_size=config["intermediate_size"],
        heads=config["num_attention_heads"],
        kv_heads=config.get("num_key_value_heads") or config["num_attention_heads"],
        vocab_size=config["vocab_size"],
        tied_embeddings=config.get("tie_word_embeddings", False),
        rope_theta=rope.get("rope_theta") or config.get("rope_theta") or 10000.0,
        norm_eps=config.get("rms_norm_eps", 1e-6),
        init_std=config.get("initializer_range", 0.02),
    )
    if model.hidden_size % model.heads or model.heads % model.kv_heads:
        raise ValueError("hidden_size is not a multiple of the heads, or they are not of the key/value heads")
    return model


def check_weights(folder: Path, model: Model) -> SafetensorsWeights:
    """The weights of `folder`, after a look that all are there with their shapes. Raises InputError otherwise."""
    try:
        weights = SafetensorsWeights(folder)
        shapes = full_shapes(model)
        if model.tied_embeddings:
            del shapes["lm_head.weight"]
        missing = [f"{name} is missing" for name in shapes if name not in weights.places]
        missing += [f"{name} is not known" for name in sorted(weights.places.keys() - shapes.keys() - _extra(model))]
        odd = _odd(weights.shape, {name: shape for name, shape in shapes.items() if name in weights.places})
    except SafetensorError as error:
        raise InputError.one("TW884", f"{folder}: {error}", "Download it again.", "SOURCE") from error
    if missing or odd:
        message = f"{folder}: {'; '.join([*missing, *odd][:5])}"
        raise InputError.one("TW884", message, "Name a complete safetensors checkpoint.", "SOURCE")
    return weights


def check_numbers(folder: Path, weights: SafetensorsWeights) -> None:
    """Read all weights. Raises InputError when one does not hold finite floats."""
    wrong = [why for name in weights.places if (why := _wrong_numbers(weights, name))]
    if wrong:
        message = f"{folder}: {'; '.join(wrong[:5])}"
        raise InputError.one("TW884", message, "Name a checkpoint with 16- or 32-bit weights.", "SOURCE")


def _extra(model: Model) -> set[str]:
    """Tensors that some writers add and that hold nothing new: a tied head, rotary frequencies of old releases."""
    frequencies = {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq" for layer in range(model.layers)}
    return frequencies | ({"lm_head.weight"} if model.tied_embeddings else set())


def _wrong_numbers(weights: SafetensorsWeights, name: str) -> str | None:
    """Why the numbers of a tensor cannot be weights, or None."""
    tensor = weights(name)
    if not tensor.is_floating_point() or tensor.element_size() == 1:
        return f"{name} holds {str(tensor.dtype).removeprefix('torch.')}, not float weights: a quantised checkpoint?"
    return None if bool(torch.isfinite(tensor).all()) else f"{name} holds numbers that are not finite"


def _odd(found: Callable[[str], torch.Size], expected: dict[str, torch.Size]) -> list[str]:
    return [f"{n} has shape {list(found(n))} instead of {list(s)}" for n, s in expected.items() if found(n) != s]
