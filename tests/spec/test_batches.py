"""Batches that grow: every sample comes once, and steps and samples are two views of one schedule."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.spec.batches import BatchSteps, count_steps, equal_steps, samples_after
from trainwright.spec.plan import Schedule
from trainwright.spec.position import Position
from trainwright.spec.sections import Optimizer

STAGES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 90)), max_size=4)


def batches(stages: list[tuple[int, int]], last: int) -> tuple[BatchSteps, ...]:
    """Stages of (sequences, samples that they take at least), then the last batch."""
    made, until = [], 0
    for sequences, length in stages:
        until += length
        made.append(BatchSteps(sequences=sequences, until=until))
    return (*made, BatchSteps(sequences=last))


def plan(samples: int, found: tuple[BatchSteps, ...], **settings: object) -> SimpleNamespace:
    """What a position reads of a plan."""
    schedule = Schedule(
        steps=count_steps(found, 0, samples),
        warmup_steps=3,
        sequences_per_step=found[-1].sequences,
        tokens_per_step=1,
        validate_every=1,
        checkpoint_every=None,
        batch_warmup=found[:-1],
    )
    optimizer = Optimizer.model_validate({"learning_rate": 1.0, **settings})
    return SimpleNamespace(samples=samples, schedule=schedule, training=SimpleNamespace(optimizer=optimizer))


@given(st.integers(1, 400), STAGES, st.integers(1, 48))
def test_each_sample_comes_once_in_as_many_steps_as_planned(
    samples: int, stages: list[tuple[int, int]], last: int
) -> None:
    """From the first sample to the last, in steps of the batch of their stage."""
    here, position, seen = plan(samples, batches(stages, last)), Position(0, 0), []
    while step := position.next_samples(here):
        assert position.last_step(here) == here.schedule.steps
        seen += step
        position = Position(position.step + 1, step.stop)
        if step.stop < samples:
            assert samples_after(here.schedule.batches, position.step) == step.stop
    assert seen == list(range(samples))
    assert position.step == here.schedule.steps


def test_the_rate_goes_by_samples_and_the_warm_up_by_steps() -> None:
    """Three steps of warm-up are three steps, small ones too; the last step has the final rate."""
    here = plan(100, batches([(2, 12)], 8), schedule="linear", final_learning_rate=0)
    found, position = [], Position(0, 0)
    while step := position.next_samples(here):
        found.append(position.learning_rate(here))
        position = Position(position.step + 1, step.stop)
    assert found[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert found[3:6] == pytest.approx([1 - 2 / 94, 1 - 4 / 94, 1 - 6 / 94])
    assert (found[6], found[-1]) == pytest.approx((1 - 14 / 94, 0.0))


def test_equal_steps_skip_what_is_past() -> None:
    """From the middle of the warm-up: the rest of its stage, then full steps."""
    assert list(equal_steps(batches([(2, 12), (4, 8)], 8), 11, 50)) == [(2, 1), (4, 2), (8, 4)]
