"""What a resumed run does differently from here on: the settings that changed, and their effect in words.

Steps left, sequences per step, learning rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError

from ...spec.plan import Plan
from ...spec.position import Position, learning_rate
from ...spec.problem import InputError
from ..checkpoint.saved_run import SavedRun, plan_of
from ..checkpoint.settings_diff import SettingChange, checkpoint_settings, diff_settings, versions


def changed_course(before: Plan, now: Plan, position: Position) -> Iterator[str]:
    """A line for each of them that `now` changes for a run that `before` brought to `position`."""
    sizes = before.schedule.sequences_per_step, now.schedule.sequences_per_step
    if sizes[0] != sizes[1]:
        yield f"sequences per step: {sizes[0]:,} so far, {sizes[1]:,} now"
    left = position.steps_left(before), position.steps_left(now)
    if left[0] != left[1]:
        yield f"steps left: {left[1]:,}, up to step {position.last_step(now):,}; {left[0]:,} before the change"
    used = learning_rate(position.samples / sizes[0], before.training.optimizer, before.schedule)
    following = position.learning_rate(now)
    if left[1] and following != position.learning_rate(before):
        yield f"learning rate: {used:.3g} at step {position.step:,}, {following:.3g} at step {position.step + 1:,}"


def changed_settings(saved: SavedRun, plan: Plan, *, elsewhere: bool) -> list[SettingChange]:
    """What `plan` would train differently. Raises InputError when another version wrote the checkpoint's settings."""
    try:
        plan_of(saved)
        return diff_settings(saved.settings, checkpoint_settings(plan, _packages(saved, elsewhere=elsewhere)))
    except (KeyError, TypeError, AttributeError) as error:
        message = "the newest checkpoint was written by another version of Trainwright"
        remedy = "Resume with that version, or start a new run folder."
        raise InputError.one("TW801", message, remedy, "--run") from error


def _packages(saved: SavedRun, *, elsewhere: bool) -> Mapping[str, str]:
    """The versions that will train, or the checkpoint's own where they are known to the ranks only."""
    try:
        return saved.settings["versions"] if elsewhere else versions()
    except PackageNotFoundError:  # a login node without torch
        return saved.settings["versions"]
