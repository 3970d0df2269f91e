"""A Hugging Face checkpoint as the beginning of a run: checked, copied, and described in the spec's words.

Only safetensors are read: a pickle could run anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from ...spec.atomic_files import sync_folder
from ...spec.problem import InputError
from ...spec.run_parts import refuse_part_of_run
from ...spec.sections import Model
from ..checkpoint.full_weights import full_shapes
from .import_tokenizer import tokenizer_files
from .read_config import read_model


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

    Raises InputError with everything that is not a model as we train it; then nothing is written.
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
