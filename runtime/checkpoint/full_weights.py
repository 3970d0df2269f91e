"""The whole weights of a run, put together from the files of its newest sound checkpoint.

ZeRO 1 and 2   engine/mp_rank_M_model_states.pt holds all weights of model-parallel rank M: pipeline stage by stage, and
               in each the tensor-parallel ranks
ZeRO 3         the optimizer's fp32 weights are cut over the data ranks, in the order of `param_shapes`
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ...spec.sections import Model
from ..model.llama import Llama
from . import store
from .foreign_state import read_state, refusal
from .signing_key import signing_key

Weights = dict[str, Tensor]
EMBEDDING = "model.embed_tokens.weight"

_DATA_RANK = re.compile(r"zero_pp_rank_(\d+)_")


def newest_valid_checkpoint(run: RunFolder, plan: Plan) -> tuple[Path, list[str]]:
    """The newest generation that a run of `plan` would resume from, and what was wrong with newer ones.

    Raises InputError when there is none.
    """
    flaws: list[str] = []
    for generation in store.list_checkpoints(run.checkpoints):
        flaw = damage(generation, plan)
        if flaw is None:
            return generation, flaws
        flaws.append(flaw)
    message = f"{run.path} has no valid checkpoint{': ' if flaws else ''}{'; '.join(flaws)}"
    raise InputError.one("TW841", message, "Train it first, or name another run folder.", "RUN")


def damage(generation: Path, plan: Plan, share: tuple[int, int] = (0, 1)) -> str | None:
    """What is wrong with a generation of `plan`, or None: hashes and signature first, then what the files hold.

    `share` = (i, n): look at every n-th file, from the i-th.
    """
    flaw = store.find_damage(generation, share, signing_key(plan.training.checkpoint))
    if flaw is not None:
        return flaw
    mine, shapes = sorted((generation / store.ENGINE).iterdir())[share[0] :: share[1]], full_shapes(plan.model)
    refused = ((file, refusal(file, shapes)) for file in mine)
    return next((f"{generation.name}/{store.ENGINE}/{file.name} {why}" for file, why in refused if why), None)


def gather_weights(generation: Path, model: Model) -> Weights:
    """Every weight under its Hugging Face name, whole. The generation must have passed `damage`."""
    shapes = full_shapes(model)
    engine = generation / store.ENGINE
    parts = [_rank_weights(engine, name) for name in _model_ranks(engine)]
    stored = {name for part in parts for name in part}
    owner = {name: name if name in stored else EMBEDDING for name in shapes}  # stages that tie the head store it once
    return {
        name: _concatenate_slices([part[owner[name]] for part in parts if owner[name] in part], shape)
        for name, shape in shapes.items()
    }


def full_shapes(model: Model) -> dict[str, torch.Size]:
    """The name and shape of every weight of a model."""
    with torch.device("meta"):
        return {name: weight.shape for name, weight in Llama(model).state_dict().items()}


def _model_ranks(engine: Path) -> list[str]:
    """`mp_rank_00`, `mp_rank_01`, ...: one for each part of the model."""
    found = {match.group() for path in engine.iterdir() if (match := re.search(r"mp_rank_\d+", path.name))}
    return sorted(found, key=lambda name: int(name.removeprefix("mp_rank_")))


def _rank_weights(engine: Path, rank: str) -> Mapping[str, Tensor]:
    """The weights of one model-parallel rank."""
    whole = engine / f"{rank}_model_states.pt"
    return read_state(whole)["module"] if whole.exists() else _from_flat(engine, rank)


def _from_flat(engine: Path, rank: str) -> Weights:
    """ZeRO 3: weights from the flat pieces of all data ranks; the last piece of a weight is padded."""
    paths = sorted(engine.glob(f"*_{rank}_optim_states.pt"), key=lambda path: int(_DATA_RANK.findall(path.name)[0]))
    flats = [torch.cat(read_state(path)["optimizer_state_dict"]["fp32_flat_groups"]) for path in paths]
    state = read_state(engine / f"zero_pp_rank_0_{rank}_model_states.pt")
    weights: Weights = {}
    start = 0
    for name, shape in (entry for group in state["param_shapes"] for entry in group.items()):
        length = math.ceil(shape.numel() / len(flats))
        pieces = [flat[start : start + length] for flat in flats]
        weights[name] = torch.cat(pieces)[: shape.numel()].view(shape)
        start += length
    return weights | {twin: weights[name] for twin, name in state["shared_params"].items()}


def _concatenate_slices(parts: list[Tensor], shape: torch.Size) -> Tensor:
    """The whole of a weight that tensor-parallel ranks hold in slices, along the dimension that falls short."""
    if parts[0].shape == shape:
        return parts[0]
    axis = next(axis for axis, size in enumerate(shape) if parts[0].shape[axis] != size)
    return torch.cat(parts, dim=axis)
