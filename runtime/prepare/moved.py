"""Corpora and tokenizers that a spec now names elsewhere: the same content may move, another may not take its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...spec.plan import Plan
from ...spec.problem import InputError, Problem
from ...spec.run_folder import RunFolder
from ..checkpoint.settings_diff import SettingChange
from ..data.digests import TOKENIZER, data_digests
from ..data.shards import file_sha256, read_index
from .job import Job


def moved_elsewhere(moves: Sequence[SettingChange], plan: Plan, run: RunFolder, root: Path) -> list[Problem]:
    """A problem for each path of `moves` where the run's own content is not found."""
    return [_problem(change) for change in moves if not _same(change, plan, run, root)]


def _same(change: SettingChange, plan: Plan, run: RunFolder, root: Path) -> bool:
    try:
        if change.key == "tokenizer.path":
            return file_sha256(root / str(change.now)) == data_digests(run).get(TOKENIZER)
        return Job(plan, run, root, workers=1).fingerprint == read_index(run.data).fingerprint
    except (InputError, OSError):
        return False


def _problem(change: SettingChange) -> Problem:
    message = f"{change}, and what is there now is not what the run was trained on"
    return Problem("TW815", "error", message, "Put the old path back, or start a new run folder.", change.key)
