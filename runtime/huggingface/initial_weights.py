"""Weights to begin from: `prepare` puts an imported checkpoint into the run folder, every rank reads it there.

So a run can go on when the imported folder is long gone, and the training processes need no project folder.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ..model.llama import InitialWeights
from .import_ import check_weights, read_model

_DESCRIPTIVE = {"name", "init_std", "init_from"}  # what two models may differ in and still share weights


def stage_initial_weights(plan: Plan, run: RunFolder, root: Path) -> None:
    """Leave the run with the weights that its model begins from, if it names any.

    Raises InputError when they are not there, damaged, or of another model; OSError when they cannot be written.
    """
    if plan.model.init_from is None or _place(run).exists():
        return
    source = root / plan.model.init_from
    model = read_model(source)
    if model.model_dump(exclude=_DESCRIPTIVE) != plan.model.model_dump(exclude=_DESCRIPTIVE):
        message = f"{source} holds another model: {model.model_dump(exclude=_DESCRIPTIVE)}"
        raise InputError.one("TW885", message, "Copy its sizes, as `trainwright import` prints them.", "model")
    check_weights(source, plan.model)
    draft = _place(run).with_name("initial.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for path in sorted(source.glob("*.safetensors")):
        _link(path, draft / path.name)
    draft.rename(_place(run))


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
