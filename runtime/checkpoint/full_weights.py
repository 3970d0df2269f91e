"""The whole weights of a run, put together from the files of its newest sound checkpoint.

ZeRO 1 and 2   engine/mp_rank_M_model_states.pt holds all weights of model-parallel rank M: pipeline stage by stage, and
               in each the tensor-parallel ranks
ZeRO 3         the optimizer's fp32 weights are cut over the data ranks, in the order of `param_shapes`
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ...spec.sections import Model
from ..model.llama import Llama
from . import store

Weights = dict[str, Tensor]

_DATA_RANK = re.compile(r"zero_pp_rank_(\d+)_")


def newest(run: RunFolder) -> tuple[Path, list[str]]:
    """The newest generation whose files all have their hashes, and what was wrong with newer ones.

    Raises InputError when there is none. Nothing is unpickled here.
    """
    flaws: list[str] = []
    for generation in store.generations(run.checkpoints):
        flaw = store.damage(generation)
        if flaw is None:
            return generation, flaws
        flaws.append(flaw)
    message = f"{run.path} has no sound checkpoint{': ' if flaws else ''}{'; '.join(flaws)}"
    raise InputError.one("TW841", message, "Train it first, or name another run folder.", "RUN")


def gather(generation: Path, model: Model) -> Weights:
    """Every weight under its Hugging Face name, whole. The generation's hashes must have been checked."""
    shapes = whole_shapes(model)
    engine = generation / store.ENGINE
    parts = [_part(engine, name) for name in _model_ranks(engine)]
    return {name: _merged([part[name] for part in parts if name in part], shape) for name, shape in shapes.items()}


def whole_shapes(model: Model) -> dict[str, torch.Size]:
    """The name and shape of every weight of a model."""
    with torch.device("meta"):
        return {name: weight.shape for name, weight in Llama(model).state_dict().items()}


def _model_ranks(engine: Path) -> list[str]:
    """`mp_rank_00`, `mp_rank_01`, ...: one for each part of the model."""
    found = {match.group() for path in engine.iterdir() if (match := re.search(r"mp_rank_\d+", path.name))}
    return sorted(found, key=lambda name: int(name.removeprefix("mp_rank_")))


def _part(engine: Path, rank: str) -> Mapping[str, Tensor]:
    """The weights of one model-parallel rank."""
    whole = engine / f"{rank}_model_states.pt"
    return _read(whole)["module"] if whole.exists() else _from_flat(engine, rank)


def _from_flat(engine: Path, rank: str) -> Weights:
    """ZeRO 3: weights from the flat pieces of all data ranks; the last piece of a weight is padded."""
    paths = sorted(engine.glob(f"*_{rank}_optim_states.pt"), key=lambda path: int(_DATA_RANK.findall(path.name)[0]))
    flats = [torch.cat(_read(path)["optimizer_state_dict"]["fp32_flat_groups"]) for path in paths]
    state = _read(engine / f"zero_pp_rank_0_{rank}_model_states.pt")
    weights: Weights = {}
    start = 0
    for name, shape in (entry for group in state["param_shapes"] for entry in group.items()):
        length = math.ceil(shape.numel() / len(flats))
        pieces = [flat[start : start + length] for flat in flats]
        weights[name] = torch.cat(pieces)[: shape.numel()].view(shape)
        start += length
    return weights | {twin: weights[name] for twin, name in state["shared_params"].items()}


def _merged(parts: list[Tensor], shape: torch.Size) -> Tensor:
    """The whole of a weight that tensor-parallel ranks hold in slices, along the dimension that falls short."""
    if parts[0].shape == shape:
        return parts[0]
    axis = next(axis for axis, size in enumerate(shape) if parts[0].shape[axis] != size)
    return torch.cat(parts, dim=axis)


def _read(path: Path) -> Any:
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # or DeepSpeed would look for a GPU, and warn
    from ..engine.checkpoint_engine import DurableFiles

    return DurableFiles().load(str(path), map_location="cpu")
