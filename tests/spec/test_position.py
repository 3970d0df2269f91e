"""Positions: whatever happens to the batch on the way, each planned sample comes once, and the end is the tokens'."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.spec.plan import Schedule
from trainwright.spec.position import Position, learning_rate
from trainwright.spec.sections import Optimizer


def plan(samples: int, batch: int) -> SimpleNamespace:
    """What a position reads of a plan."""
    schedule = Schedule(
        steps=-(-samples // batch),
        warmup_steps=3,
        sequences_per_step=batch,
        tokens_per_step=batch * 64,
        validate_every=1,
        checkpoint_every=None,
    )
    training = SimpleNamespace(optimizer=Optimizer(learning_rate=1e-3), sequence_length=64)
    return SimpleNamespace(samples=samples, schedule=schedule, training=training)


@given(st.integers(1, 400), st.lists(st.tuples(st.integers(1, 48), st.integers(0, 12)), max_size=6), st.integers(1, 48))
def test_each_planned_sample_comes_once(samples: int, earlier: list[tuple[int, int]], last: int) -> None:
    """Batches changed any number of times, each kept for some steps: the samples are those of an undisturbed run."""
    position, seen = Position(0, 0), []
    for batch, steps in [*earlier, (last, 401)]:
        here = plan(samples, batch)
        for _ in range(min(steps, position.steps_left(here))):
            step = position.next_samples(here)
            seen += step
            position = Position(position.step + 1, step.stop)
            assert position.last_step(here) == position.step + position.steps_left(here)
    assert seen == list(range(samples))
    assert not position.next_samples(plan(samples, last))


@pytest.mark.parametrize("batch", [8, 16, 32, 48])
def test_another_batch_does_not_move_the_run_along_its_schedule(batch: int) -> None:
    """Half way through the samples the rate is the schedule's half way, whatever the batch."""
    here = plan(9600, batch)
    steps = here.schedule.steps
    halfway = learning_rate(steps / 2 + 1, here.training.optimizer, here.schedule)
    assert Position(123, 4800).learning_rate(here) == pytest.approx(halfway)


def test_a_run_that_is_past_the_end_has_nothing_left() -> None:
    """Shortened to less than was trained: no step is left, and the last step is the one that was taken."""
    position = Position(40, 640)
    assert (position.steps_left(plan(320, 16)), position.last_step(plan(320, 16))) == (0, 40)
