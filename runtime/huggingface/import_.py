"""A Hugging Face Llama checkpoint as the beginning of a run: checked, copied, and described in the spec's words.

Only safetensors are read: a pickle could run anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from ...spec.atomic_files import sync_folder
from ...spec.foreign_files import parse_json
from ...spec.problem import InputError, Problem
from ...spec.sections import Model
from ..checkpoint.full_weights import full_shapes
from ..data.tokenizer import Tokenizer

# What our architecture fixes: the key of config.json, the value it must have, and what it has when it is left out.
_FIXED: tuple[tuple[str, object, object], ...] = (
    ("model_type", "llama", None),
    ("hidden_act", "silu", "silu"),
    ("attention_bias", False, False),
    ("mlp_bias", False, False),
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What a folder holds: the model, as a spec writes it, and whether a SentencePiece tokenizer came along."""

    model: Model
    tokenizer: bool


class SafetensorsWeights:
    """The tensors of a folder's safetensors files, read one at a time."""

    def __init__(self, folder: Path) -> None:
        self.places: dict[str, Path] = {}
        for path in sorted(folder.glob("*.safetensors")):
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

    Raises InputError with everything that is not a Llama of ours; then nothing is written.
    """
    if folder.exists():
        raise InputError.one("TW882", f"{folder} exists already", "Name a new folder.", "--out")
    model = read_model(source)
    check_weights(source, model)
    tokenizer = source / "tokenizer.model"
    if tokenizer.exists() and Tokenizer(tokenizer).vocab_size != model.vocab_size:
        message = f"its tokenizer has {Tokenizer(tokenizer).vocab_size} pieces, the model {model.vocab_size}"
        raise InputError.one("TW884", f"{source}: {message}", "Pad neither of them.", "SOURCE")
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        for path in (*sorted(source.glob("*.safetensors")), source / "config.json", tokenizer):
            if path.exists():
                shutil.copyfile(path, draft / path.name)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    sync_folder(folder.parent)
    return Imported(model, tokenizer.exists())


def read_model(folder: Path) -> Model:
    """The model section of a spec for the config.json of a Llama. Raises InputError for what we cannot train."""
    try:
        config = parse_json((folder / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        message = f"{folder} has no readable config.json: {error}"
        raise InputError.one("TW883", message, "Name a folder in the Hugging Face layout.", "SOURCE") from error
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    wrong = [
        f"{key} is {config.get(key, default)!r}" for key, right, default in _FIXED if config.get(key, default) != right
    ]
    if rope.get("rope_type", rope.get("type", "default")) != "default":
        wrong.append(f"its positions are scaled ({rope})")
    if wrong:
        problems = (
            Problem("TW883", "error", f"{folder}: {why}", "Only plain Llamas can be trained.", "SOURCE")
            for why in wrong
        )
        raise InputError(tuple(problems))
    try:
        return _model(config, rope)
    except (KeyError, ValidationError) as error:
        raise InputError.one("TW883", f"{folder}/config.json: {error}", "Complete it.", "SOURCE") from error


def _model(config: dict[str, Any], rope: dict[str, Any]) -> Model:
    return Model(
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


def check_weights(folder: Path, model: Model) -> SafetensorsWeights:
    """The weights of `folder`, after a look that all are there with their shapes. Raises InputError otherwise."""
    try:
        weights = SafetensorsWeights(folder)
        shapes = full_shapes(model)
        if model.tied_embeddings:
            del shapes["lm_head.weight"]
        missing = [f"{name} is missing" for name in shapes if name not in weights.places]
        odd = _odd(weights.shape, {name: shape for name, shape in shapes.items() if name in weights.places})
    except SafetensorError as error:
        raise InputError.one("TW884", f"{folder}: {error}", "Download it again.", "SOURCE") from error
    if missing or odd:
        message = f"{folder}: {'; '.join([*missing, *odd][:5])}"
        raise InputError.one("TW884", message, "Name a complete safetensors checkpoint.", "SOURCE")
    return weights


def _odd(found: Callable[[str], torch.Size], expected: dict[str, torch.Size]) -> list[str]:
    return [f"{n} has shape {list(found(n))} instead of {list(s)}" for n, s in expected.items() if found(n) != s]
