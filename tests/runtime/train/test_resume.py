"""A run that was stopped in any way goes on as if it had not been."""

from __future__ import annotations

import contextlib
import random
import signal

import pytest
import torch

from trainwright.runtime.checkpoint.full_weights import full_shapes, gather_weights, newest_valid_checkpoint
from trainwright.spec.exit_codes import Exit
from trainwright.spec.layout import Layout

STEPS = 30


@pytest.fixture(scope="module")
def whole(workplace, tiny_plan):
    """A run that nobody disturbed, and its plan."""
    place = workplace(tiny_plan(steps=STEPS))
    assert place.train() == Exit.DONE
    return place


def test_a_run_logs_what_the_contract_asks_for(whole):
    """Every field of a step is there, validation and checkpoint follow the last one, and the stop says why."""
    steps = whole.events("step")
    fields = [
        "loss",
        "grad_norm",
        "learning_rate",
        "seconds",
        "tokens_per_second",
        "mfu",
        "energy_kwh",
        "power_watts",
        "memory_bytes",
    ]
    assert [e["step"] for e in steps] == list(range(1, STEPS + 1))
    assert all(e[name] > 0 for e in steps for name in fields)
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert [e["tokens"] for e in whole.events("validation")] == [STEPS * 4 * 32]
    assert [e["path"] for e in whole.events("checkpoint")] == [f"checkpoints/step-{STEPS:08d}"]
    assert [(e["reason"], e["exit_code"]) for e in whole.events("stop")] == [("done", 0)]
    assert {e["name"] for e in whole.events("phase")} == {"startup", "train", "validate", "checkpoint"}
    assert list((whole.run.path / "tensorboard").iterdir())


@pytest.mark.parametrize(
    "how", ["signal", pytest.param("stop-file", marks=pytest.mark.slow), "kill", "kill-while-writing"]
)
def test_goes_on_bit_for_bit(whole, workplace, tiny_plan, how):
    """Stopped after some steps by SIGTERM, the stop file or kill -9, and started again: same losses, same state."""
    behind = how == "kill-while-writing"
    place = workplace(tiny_plan(steps=STEPS, schedule__checkpoint_every=2, training__checkpoint__asynchronous=behind))
    if how.startswith("kill"):
        assert place.train(inject="kill rank=1 step=4") == Exit.PEER_LOST
    else:
        start = place.start()
        place.wait_for('"step":1,')
        start.signal(signal.SIGTERM) if how == "signal" else place.run.stop.touch()
        start.wait(60)
        assert place.code() == Exit.PREEMPTED
        assert place.events("stop")[-1]["reason"] == how
        assert not place.run.stop.exists()
    assert place.train() == Exit.DONE
    assert len(place.events("start")) == 2
    assert place.losses() == whole.losses()
    assert place.state() == whole.state()


def test_on_cpus_deterministic_kernels_change_nothing(whole, workplace, tiny_plan):
    """Asked for, they train as ever, kill -9 included: a CPU's own kernels are deterministic."""
    often = {"schedule__checkpoint_every": 2, "training__deterministic": True}
    place = workplace(tiny_plan(steps=STEPS, **often))
    assert place.train(inject="kill rank=1 step=4") == Exit.PEER_LOST
    assert place.train() == Exit.DONE
    assert place.losses() == whole.losses()
    assert place.state() == whole.state()


def test_a_batch_that_warms_up_goes_on_bit_for_bit(workplace, tiny_plan):
    """Kill -9 among small steps, under a wsd schedule: the run ends like one that nobody disturbed."""
    growing = {
        "schedule__batch_warmup": ({"sequences": 2, "until": 11},),
        "training__optimizer__schedule": "wsd",
        "schedule__decay_steps": 2,
        "schedule__steps": 9,
        "schedule__checkpoint_every": 2,
    }
    places = [workplace(tiny_plan(steps=6, **growing)) for _ in range(2)]
    assert places[0].train() == Exit.DONE
    assert places[1].train(inject="kill rank=1 step=4") == Exit.PEER_LOST
    assert places[1].train() == Exit.DONE
    assert [event["tokens"] // 32 for event in places[0].events("step")] == [2, 4, 6, 8, 10, 12, 16, 20, 24]
    assert places[1].losses() == places[0].losses()
    assert places[1].state() == places[0].state()


def test_a_pipeline_goes_on_bit_for_bit(workplace, tiny_plan):
    """A stage killed between two checkpoints: the run that goes on is the one that nobody disturbed, on every stage.

    The model is one of today's, with what lies on two stages and what has state of its own: embedding, norms, biases.
    """
    layout = Layout(pipeline=2, accumulation=4)
    today = {"model__tied_embeddings": True, "model__qk_norm": "head", "model__qkv_biases": True}
    plan = tiny_plan(layout, steps=8, schedule__checkpoint_every=2, schedule__validate_every=4, **today)
    undisturbed, place = workplace(plan), workplace(plan)
    assert undisturbed.train() == Exit.DONE
    assert place.train(inject="kill rank=0 step=4") == Exit.PEER_LOST
    assert place.train() == Exit.DONE
    assert place.events("start")[-1]["step"] == 2
    assert place.losses() == undisturbed.losses()
    assert place.events("validation")[-1]["loss"] == undisturbed.events("validation")[-1]["loss"]
    assert place.state() == undisturbed.state()
    assert {"engine/mp_rank_00_model_states.pt", "engine/mp_rank_01_model_states.pt"} <= place.state().keys()
    weights = gather_weights(newest_valid_checkpoint(place.run, plan)[0], plan.model)
    assert {name: weight.shape for name, weight in weights.items()} == full_shapes(plan.model)
    assert torch.equal(weights["lm_head.weight"], weights["model.embed_tokens.weight"])


@pytest.mark.slow
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_killed_again_and_again_it_ends_the_same(workplace, tiny_plan, seed, behind):
    """All ranks killed at a random moment, time after time, saves included: the end is that of an undisturbed run."""
    often = {"schedule__checkpoint_every": 3, "schedule__validate_every": 20}
    plan = tiny_plan(steps=400, training__checkpoint__asynchronous=behind, **often)
    undisturbed, place = workplace(plan), workplace(plan)
    assert undisturbed.train() == Exit.DONE
    moments, kills = random.Random(seed), 0  # noqa: S311 - not a secret
    while True:
        start = place.start()
        with contextlib.suppress(AssertionError):
            start.wait(moments.uniform(0.5, 4.0))
            break
        start.end()
        kills += 1
    print(f"seed {seed}: {kills} kills")  # noqa: T201 - the figure of the campaign
    assert kills > 2
    assert place.code() == Exit.DONE
    assert place.losses() == undisturbed.losses()
    assert place.state() == undisturbed.state()
    energies = [event["energy_kwh"] for event in place.events("step")]
    assert energies == sorted(energies)
