"""A run as a Hugging Face folder: config, safetensors and tokenizer, which transformers loads by itself."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from ...spec.atomic_files import sync_folder, write_atomically
from ...spec.foreign_files import parse_json
from ...spec.model_family import Family, family_of
from ...spec.plan import Plan, read_plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ...spec.run_parts import refuse_part_of_run
from ..checkpoint.full_weights import Weights, gather_weights, newest_valid_checkpoint
from ..checkpoint.saved_run import newest_saved_run, plan_of, saved_run
from ..checkpoint.signing_key import signing_key
from ..checkpoint.store import step_of
from ..data.digests import TOKENIZER, require_same
from ..data.json_tokenizer import JsonTokenizer
from ..data.open_tokenizer import AnyTokenizer, is_json, open_tokenizer
from ..data.shards import file_sha256
from ..model.llama import TORCH_DTYPE
from . import model_files
from .prove import prove
from .tokenizer_json import UntranslatableError, tokenizer_json

SHARD_BYTES = 5 * 10**9  # the Hub's and transformers' own habit


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, from which step, and why newer checkpoints were passed over."""

    folder: Path
    step: int
    parameters: int
    bytes: int
    damaged: tuple[str, ...]


def export(run: RunFolder, folder: Path) -> Exported:
    """Write the newest sound checkpoint of `run` to `folder`, which must not exist yet.

    Model and precision are those that the checkpoint was trained with, whatever the run was launched with since. Raises
    InputError when the run has no plan, no sound checkpoint, or not the checkpoint's tokenizer, OSError when the folder
    cannot be written; then nothing is left behind.
    """
    plan = _plan(run)
    refuse_part_of_run(folder, "--out")
    if folder.exists():
        raise InputError.one("TW842", f"{folder} exists already", "Name a new folder.", "--out")
    generation, damaged = newest_valid_checkpoint(run, plan)
    if (saved := saved_run(generation)) is not None:
        plan = plan_of(saved)
        require_same(run, saved.digests, {TOKENIZER: file_sha256(run.tokenizer)} if run.tokenizer.is_file() else {})
    family = _family(plan)
    weights = {
        name: weight.to(TORCH_DTYPE[plan.training.precision])
        for name, weight in gather_weights(generation, plan.model).items()
    }
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        write_weights(draft, weights, tied=plan.model.tied_embeddings)
        _write_beside(draft, plan, family, run)
        prove(draft, plan, run, weights)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    sync_folder(folder.parent)
    size = sum(path.stat().st_size for path in folder.iterdir())
    return Exported(folder, step_of(generation), plan.model.shape.parameters, size, tuple(damaged))


def _plan(run: RunFolder) -> Plan:
    """The plan that the newest checkpoint was trained with; before the first the run's own."""
    try:
        plan = read_plan(run.path)
        saved = newest_saved_run(run, signing_key(plan.training.checkpoint))
        if saved is None:
            return plan
        training = plan_of(saved).training.model_copy(update={"checkpoint": plan.training.checkpoint})
        return plan_of(saved).model_copy(update={"training": training})
    except InputError as error:
        message = f"{run.path} is not a run folder: {error.problems[0].message}"
        raise InputError.one("TW881", message, "Name a run folder.", "RUN") from error


def _family(plan: Plan) -> Family:
    found = family_of(plan.model)
    if found is None:
        message = f"no class of transformers computes the model of {plan.name}"
        raise InputError.one("TW847", message, "`trainwright explain TW412` says what each class has.", "RUN")
    return found


def _tokenizer_json(run: RunFolder) -> dict[str, Any]:
    if is_json(run.tokenizer):  # as it is, but that it cuts and pads no text, as in training
        return parse_json(run.tokenizer.read_bytes()) | {"truncation": None, "padding": None}
    try:
        return tokenizer_json(run.tokenizer)
    except UntranslatableError as error:
        message = f"the tokenizer of {run.path} cannot be exported: {error}"
        raise InputError.one("TW826", message, "Export from a run with another tokenizer.", "RUN") from error


def write_weights(folder: Path, weights: Weights, *, tied: bool) -> None:
    """model.safetensors, or shards with an index when they are large. A tied head is left out, as transformers does."""
    kept = {name: weight.contiguous() for name, weight in weights.items() if not (tied and name == "lm_head.weight")}
    shards = _packed(kept)
    names = _names(len(shards))
    for name, shard in zip(names, shards, strict=True):
        save_file({key: kept[key] for key in shard}, folder / name, metadata={"format": "pt"})
        (folder / name).chmod(0o644)  # safetensors writes it for the owner alone
    if len(shards) > 1:
        places = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
        size = sum(weight.nbytes for weight in kept.values())
        index = {"metadata": {"total_size": size}, "weight_map": places}
        write_atomically(folder / "model.safetensors.index.json", model_files.dump(index))


def _packed(weights: Weights) -> list[list[str]]:
    """Names of weights, in order, in groups of at most `SHARD_BYTES`."""
    shards: list[list[str]] = [[]]
    size = 0
    for name, weight in weights.items():
        if shards[-1] and size + weight.nbytes > SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append(name)
        size += weight.nbytes
    return shards


def _names(count: int) -> list[str]:
    if count == 1:
        return ["model.safetensors"]
    return [f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


def _write_beside(folder: Path, plan: Plan, family: Family, run: RunFolder) -> None:
    """Everything but the weights."""
    tokenizer = open_tokenizer(run.tokenizer)
    marks = (tokenizer.begin, tokenizer.end)
    context = plan.training.sequence_length
    dtype = str(TORCH_DTYPE[plan.training.precision]).removeprefix("torch.")
    files = {
        "config.json": model_files.config(plan.model, family, context, dtype, marks),
        "generation_config.json": model_files.generation_config(marks),
        "tokenizer.json": _tokenizer_json(run),
        "tokenizer_config.json": _tokenizer_config(run, tokenizer, context),
    }
    for name, content in files.items():
        write_atomically(folder / name, model_files.dump(content))
    if not is_json(run.tokenizer):
        shutil.copyfile(run.tokenizer, folder / "tokenizer.model")


def _tokenizer_config(run: RunFolder, tokenizer: AnyTokenizer, context: int) -> dict[str, Any]:
    if isinstance(tokenizer, JsonTokenizer):
        return model_files.json_tokenizer_config(
            tokenizer.mark(tokenizer.begin), tokenizer.mark(tokenizer.end), context
        )
    return model_files.tokenizer_config(run.tokenizer, context)
