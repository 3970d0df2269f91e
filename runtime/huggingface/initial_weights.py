"""Weights to begin from: `prepare` puts an imported checkpoint into the run folder, every rank reads it there.

So a run can resume when the imported folder is long gone, and the training processes need no project folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ...spec.sections import Model
from ..data.shards import file_sha256
from ..model.llama import InitialWeights
from .import_ import check_numbers, check_weights
from .import_tokenizer import JSON, MODEL
from .read_config import read_model

DIGEST = "sha256"  # beside staged weights: the digest of their files, and the folder that they came from
_DESCRIPTIVE = {"name", "init_std", "init_from"}  # what two models may differ in and still share weights


def stage_initial_weights(plan: Plan, run: RunFolder, root: Path) -> None:
    """Leave the run with the weights that its model begins from, if it names any.

    Raises InputError when they are not there, damaged, or of another model; OSError when they cannot be written.
    """
    if plan.model.init_from is None:
        return
    source, staged = root / plan.model.init_from, _staged(run)
    if staged and not source.exists() and staged.endswith(f" {plan.model.init_from}"):
        return  # the run has its own copy
    model = read_model(source)
    if _computed(model) != _computed(plan.model):
        message = f"{source} holds another model: {model.model_dump(exclude=_DESCRIPTIVE)}"
        raise InputError.one("TW885", message, "Copy its sizes, as `trainwright import` prints them.", "model")
    check_numbers(source, check_weights(source, plan.model))
    _require_own_tokenizer(source, plan, root)
    digest = f"{_digest(source)} {plan.model.init_from}"
    if staged == digest:
        return
    draft = _place(run).with_name("initial.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for path in sorted(source.glob("*.safetensors")):
        _link(path.resolve(), draft / path.name)
    (draft / DIGEST).write_text(digest, encoding="utf-8")
    shutil.rmtree(_place(run), ignore_errors=True)
    draft.rename(_place(run))


def _computed(model: Model) -> dict[str, Any]:
    """What decides which numbers a model computes: a head size that is written out is that of hidden_size / heads."""
    return model.model_dump(exclude=_DESCRIPTIVE) | {"head_size": model.shape.head_size}


def _digest(folder: Path) -> str:
    """What identifies the weights of a folder."""
    digests = [f"{path.name} {file_sha256(path)}" for path in sorted(folder.glob("*.safetensors"))]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _staged(run: RunFolder) -> str | None:
    try:
        return (_place(run) / DIGEST).read_text(encoding="utf-8")
    except OSError:
        return None


def _require_own_tokenizer(source: Path, plan: Plan, root: Path) -> None:
    """Raise InputError when the weights came with a tokenizer and the run has another: its ids mean other pieces."""
    given = root / (plan.tokenizer.path or "")
    own = next((path for name in (MODEL, JSON) if (path := source / name).is_file()), None)
    if own is None or (given.is_file() and file_sha256(given) == file_sha256(own)):
        return
    message = f"{source} was trained with its own tokenizer, and the run has another"
    remedy = f"Write tokenizer: {{path: {plan.model.init_from}/{own.name}}}."
    raise InputError.one("TW886", message, remedy, "tokenizer.path")


def open_initial_weights(plan: Plan, run: RunFolder) -> InitialWeights | None:
    """Where the model's weights come from: the run's copy, or None for random ones."""
    return None if plan.model.init_from is None else check_weights(_place(run), plan.model)


def _place(run: RunFolder) -> Path:
    return run.path / "initial"


def _link(source: Path, target: Path) -> None:
    """Without a copy where both are on one disk: weights are large, and nobody writes to them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
