"""What a resumed run does differently from here on, in words: steps left, sequences per step, learning rate."""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.plan import Plan
from ...spec.position import Position, learning_rate


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
