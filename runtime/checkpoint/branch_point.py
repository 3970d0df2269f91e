"""The checkpoint that a branch begins with: taken over from the run that it extends, and resumed from like its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.lineage import Inherited, read_branch_point, read_inherited
from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ...spec.sections import Branch
from . import store
from .saved_run import SavedRun, saved_run
from .settings_diff import SettingChange
from .signing_key import signing_key


def trunk_checkpoint(plan: Plan, root: Path) -> SavedRun | None:
    """What the checkpoint says that `plan` branches off; None for a plan that does not.

    Raises InputError TW327 where it is not there, not complete, or not at the tokens that the plan counts from.
    """
    if plan.extends_run is None:
        return None
    generation, _ = _point(plan, plan.extends_run, root)
    saved = saved_run(generation)
    if saved is None:
        raise _unusable(plan.extends_run, f"{generation.name}/state.json cannot be read")
    return saved


def take_over(plan: Plan, run: RunFolder, root: Path) -> None:
    """Leave a branch that has not begun with the checkpoint to begin with; without a copy where one disk holds both.

    Raises InputError as `trunk_checkpoint` does, OSError when it cannot be written.
    """
    if plan.extends_run is None or store.list_checkpoints(run.checkpoints):
        return
    generation, inherited = _point(plan, plan.extends_run, root)
    draft = store.create_draft(run.checkpoints, plan.extends_run.step)
    shutil.copytree(generation, draft, copy_function=_link, dirs_exist_ok=True)
    write_atomically(run.inherited, inherited.model_dump_json().encode())
    draft.rename(run.checkpoint(plan.extends_run.step))


def changes_of_branch(
    found: Sequence[SettingChange], plan: Plan, run: RunFolder, step: int
) -> tuple[list[SettingChange], str]:
    """The changes against the checkpoint of `step`, and what to do about them: a branch is there to change settings."""
    if plan.extends_run is not None and step == plan.extends_run.step and read_inherited(run) is not None:
        return [change for change in found if not change.key.startswith("extends_run")], "apply"
    return list(found), plan.training.on_change


def _point(plan: Plan, branch: Branch, root: Path) -> tuple[Path, Inherited]:
    """The generation, and what it hands down."""
    trunk = root / branch.run
    generation = RunFolder(trunk).checkpoint(branch.step)
    if flaw := store.incomplete(generation, signing_key(plan.training.checkpoint)):
        raise _unusable(branch, flaw)
    try:
        inherited = read_branch_point(trunk, branch.step)
    except (OSError, ValueError) as error:
        raise _unusable(branch, str(error)) from error
    if inherited.tokens != branch.tokens:
        raise _unusable(branch, f"it has seen {inherited.tokens:,} tokens, and the spec says {branch.tokens:,}")
    return generation, inherited.model_copy(update={"run": branch.run})


def _unusable(branch: Branch, why: str) -> InputError:
    message = f"the checkpoint {branch.run}@{branch.step} cannot be extended: {why}"
    return InputError.one("TW327", message, "Name a complete checkpoint of the run.", "extends_run")


def _link(source: str, target: str) -> None:
    """Nobody writes to the files of a sealed checkpoint."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
