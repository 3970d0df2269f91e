"""What the newest checkpoint says of its run, read without torch: settings, position, and the digests of its data.

A launch is decided by it before anything is written. The weights are not hashed here; training does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...spec.plan import Plan, parse_plan
from ...spec.position import Position
from ...spec.problem import InputError
from ...spec.run_folder import CHECKPOINT_STATE, RunFolder
from . import store

_LARGEST = 2**60  # steps or samples: far more than any run has


@dataclass(frozen=True, slots=True)
class SavedRun:
    """How the run of a checkpoint was set up, how far it came, and the SHA-256 of its tokenizer and of its shards."""

    settings: Mapping[str, Any]
    position: Position
    digests: Mapping[str, str]


def newest_saved_run(run: RunFolder, key: bytes) -> SavedRun | None:
    """The newest checkpoint whose files have their sizes and whose state can be read; None without one."""
    whole = (
        generation for generation in store.list_checkpoints(run.checkpoints) if not store.incomplete(generation, key)
    )
    return next(filter(None, map(saved_run, whole)), None)


def has_checkpoint(run: RunFolder) -> bool:
    """Whether the run of this folder has begun."""
    return bool(store.list_checkpoints(run.checkpoints))


def saved_run(generation: Path) -> SavedRun | None:
    """What one generation says; None when its state cannot be read."""
    try:
        content = store.read_json(generation / CHECKPOINT_STATE)
        state = content["state"]
        position = Position(_count(state["step"]), _count(state["samples"]))
        return SavedRun(dict(content["settings"]), position, dict(content["digests"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _count(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise ValueError(f"{value!r:.40} is not a number of steps or samples")
    return value


def plan_of(saved: SavedRun) -> Plan:
    """The plan that the checkpoint was trained with. Raises InputError when another version wrote it."""
    try:
        return parse_plan(saved.settings["plan"])
    except ValueError as error:
        remedy = "Resume with the Trainwright that wrote it, or start a new run folder."
        raise InputError.one("TW801", f"the newest checkpoint cannot be used: {error}", remedy, "--run") from error
