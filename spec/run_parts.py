"""What belongs to a run folder: no command writes anything else there, and no run starts over what is not a run's.

Known by names alone, so that every layer can ask before it writes.
"""

from __future__ import annotations

import os
from pathlib import Path

from .manifest import MANIFEST, is_bundle
from .problem import InputError
from .run_folder import RunFolder

FOLDERS = frozenset({"attempts", "bundle", "checkpoints", "data", "initial", "tensorboard", "tokenizer"})
FILES = frozenset({"plan.json", "estimate.json", MANIFEST, "inherited.json", "restarts.json", "token"})
_MADE = {"data": "index.json", "tokenizer": "made-from.json"}  # what prepared data of a run has


def is_run(folder: Path) -> bool:
    """Whether a launch was ever admitted to `folder`."""
    run = RunFolder(folder)
    return run.events.exists() or is_bundle(run.bundle)


def owning_run(path: Path) -> Path | None:
    """The run folder of which `path` is, or would be, a part; None elsewhere."""
    # as written, since a run's data is a link out of it; and where links lead, also in a circle
    for whole in map(Path, (os.path.abspath(path), os.path.realpath(path))):  # noqa: PTH100 - absolute() keeps `..`
        for parent, child in zip(whole.parents, (whole, *whole.parents), strict=False):
            if child.name in FOLDERS | FILES and is_run(parent):
                return parent
    return None


def refuse_part_of_run(path: Path, option: str) -> None:
    """Raise InputError where `path` is a part of a run, which its own processes alone may write."""
    if run := owning_run(path):
        raise InputError.one("TW634", f"{path} belongs to the run in {run}", "Choose another place.", option)


def strangers(folder: Path) -> list[str]:
    """Names in a folder that is no run's yet, which a run would replace with its own."""
    if is_run(folder):
        return []
    taken = (name for name in sorted(FOLDERS | FILES) if (folder / name).exists() or (folder / name).is_symlink())
    return [name for name in taken if not (name in _MADE and (folder / name / _MADE[name]).is_file())]
