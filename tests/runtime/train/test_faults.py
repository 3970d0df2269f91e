"""Injected faults: each really fires, is named, and ends or does not end the run as reliability.md asks."""

from __future__ import annotations

import os
import time
from itertools import product

import pytest

from trainwright.spec.exit_codes import Exit
from trainwright.spec.layout import Layout

OFFLOADS = ("none", "optimizer")
STAGES = Layout(pipeline=2, accumulation=4)


@pytest.fixture
def faulty(workplace, tiny_plan):
    """A function: trains a tiny plan with faults, checks that they fired, returns the workplace and the exit code."""

    def train(inject, **changes):
        place = workplace(tiny_plan(**{"steps": 8, **changes}))
        code = place.train(inject=inject)
        fired = place.injected.read_text().split("\n")
        assert set(inject.split("; ")) <= set(fired), place.output()
        return place, code

    return train


@pytest.mark.parametrize(
    ("zero", "precision", "offload"),
    [
        (1, "fp32", "none"),
        (3, "bf16", "none"),
        (2, "bf16", "optimizer"),  # where DeepSpeed keeps the NaN
        *(pytest.param(z, p, o, marks=pytest.mark.slow) for z, p, o in product((1, 2, 3), ("fp32", "bf16"), OFFLOADS)),
    ],
)
def test_a_nan_on_one_rank_skips_the_update_on_all(faulty, zero, precision, offload):
    """The step is not applied anywhere, the fault names rank and parameter, and the run goes on and ends well."""
    layout = Layout(data=2, accumulation=2, zero=zero, offload=offload)
    place, code = faulty("nan rank=1 step=3", layout=layout, training__precision=precision)
    assert code == Exit.DONE
    assert place.faults() == ["non-finite gradient: rank 1: lm_head.weight"]
    norms = {event["step"]: event["grad_norm"] for event in place.events("step")}
    assert [step for step, norm in norms.items() if norm is None] == [3]


NUMBERS = [("nan", 1), ("inf", 2), ("huge", 4)]


@pytest.mark.parametrize(
    ("number", "ranks"),
    [*NUMBERS, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in product(("nan", "inf", "huge"), (1, 2, 4)))],
)
def test_no_number_stops_a_step_that_is_shown_validated_or_saved(faulty, number, ranks):
    """First, last, validated and saved step: each is left out and shown as unknown, and what is saved is finite."""
    layout, often = Layout(data=ranks, accumulation=4 // ranks), {"schedule__validate_every": 2}
    inject = "; ".join(f"{number} rank={ranks - 1} step={step}" for step in (1, 4, 6))
    place, code = faulty(inject, layout=layout, steps=6, schedule__checkpoint_every=2, **often)
    assert (code, len(place.faults())) == (Exit.DONE, 3), place.output()
    assert [event["step"] for event in place.events("step") if event["grad_norm"] is None] == [1, 4, 6]
    assert [event["step"] for event in place.events("validation") if event["loss"] is not None] == [2, 4, 6]
    assert [event["step"] for event in place.events("checkpoint")] == [2, 4, 6]
    assert "Traceback" not in place.output()


@pytest.mark.parametrize(("rank", "origin"), [(0, "rank 0: model.layers.0"), (1, "rank 1: lm_head.weight")])
def test_a_nan_on_one_stage_skips_the_update_on_all(faulty, rank, origin):
    """Wherever in a pipeline a gradient stops being a number, no stage is updated, and the run goes on."""
    place, code = faulty(f"nan rank={rank} step=3", layout=STAGES)
    assert code == Exit.DONE
    assert [origin in fault for fault in place.faults()] == [True]
    assert [event["step"] for event in place.events("step") if event["grad_norm"] is None] == [3]


def test_a_batch_that_must_not_count_moves_no_stage(faulty):
    """A loss spike, seen by the last stage alone, is left out on every stage."""
    policy = {"action": "skip", "threshold": 3.0}
    place, code = faulty("spike rank=1 step=11", layout=STAGES, steps=14, training__loss_spike=policy)
    assert code == Exit.DONE
    assert [event["step"] for event in place.events("step") if event["grad_norm"] is None] == [11]


def test_three_skipped_steps_in_a_row_end_the_run(faulty):
    """The end is DIVERGED on every rank, at the third step in a row, and names step, rank and parameter."""
    place, code = faulty("nan rank=0 step=2; nan rank=1 step=3; nan rank=0 step=4")
    assert code == Exit.DIVERGED
    assert "4: rank 0: lm_head.weight" in place.faults()[-1]
    assert place.events("stop")[-1]["reason"] == "diverged"


@pytest.mark.parametrize("action", ["continue", "skip", "rewind", "stop"])
def test_a_loss_spike_is_treated_as_the_spec_says(faulty, action):
    """Continue applies the step; skip leaves it out; rewind goes back and leaves the batch out; stop ends the run."""
    policy = {"action": action, "threshold": 3.0}
    changes = {"steps": 14, "training__loss_spike": policy, "schedule__checkpoint_every": 4}
    place, code = faulty("spike rank=0 step=11", **changes)
    assert code == (Exit.DIVERGED if action == "stop" else Exit.DONE)
    assert place.faults()[0].startswith("loss spike: ")
    steps = [event["step"] for event in place.events("step")]
    applied = [event["step"] for event in place.events("step") if event["grad_norm"] is not None]
    expected = {"continue": range(1, 15), "skip": range(1, 15), "stop": range(1, 12)}
    assert steps == (list(expected[action]) if action != "rewind" else [*range(1, 12), *range(9, 15)])
    assert (11 in applied) == (action != "skip")


def test_a_flipped_bit_in_one_replica_is_found(faulty):
    """One bit of one weight on one rank ends the run at the next comparison, before it is saved."""
    place, code = faulty("flip rank=1 step=4", steps=4)
    assert code == Exit.CORRUPT
    assert "lm_head.weight differs on replica" in place.faults()[0]
    assert not list(place.run.checkpoints.glob("step-*"))


def test_a_flipped_bit_in_a_norm_of_one_tensor_parallel_rank_is_found(faulty):
    """Norms are whole on all ranks that share the matrices: these are compared as well."""
    place, code = faulty("flip-norm rank=1 step=4", layout=Layout(tensor=2, accumulation=4), steps=4)
    assert code == Exit.CORRUPT
    assert "model.norm.weight differs on replica" in place.faults()[0]


LOST = [("kill", "signal 9"), ("crash", "signal 11"), ("hang", "has not answered")]


@pytest.mark.parametrize(
    ("fault", "layout"),
    [*((fault, None) for fault in LOST), *(pytest.param(f, STAGES, marks=pytest.mark.slow) for f in LOST)],
)
def test_a_lost_rank_takes_the_others_along(workplace, tiny_plan, launched, fault, layout):
    """All ranks are gone within a minute, the code is PEER_LOST, the log names the rank, nothing is left behind."""
    how, what = fault
    place, began = workplace(tiny_plan(layout, steps=8)), time.monotonic()
    start = place.start(f"{how} rank=1 step=3", launched)
    while not place.injected.exists():
        assert time.monotonic() - began < 240, place.output()
        time.sleep(0.02)
    assert start.wait(60) == Exit.PEER_LOST
    assert place.injected.read_text() == f"{how} rank=1 step=3\n"
    assert any("rank 1" in text and what in text for text in place.faults()), place.faults()
    with pytest.raises(ProcessLookupError):
        os.killpg(start.process.pid, 0)
