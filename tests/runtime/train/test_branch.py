"""A branch goes on from a checkpoint of another run, with settings of its own."""

from __future__ import annotations

import json
import shutil

import pytest

from trainwright.report.build import build_report
from trainwright.runtime.checkpoint.branch_point import take_over
from trainwright.runtime.launch.admit import decide
from trainwright.spec.exit_codes import Exit
from trainwright.spec.problem import InputError
from trainwright.spec.run_folder import RunFolder

STEPS, AT = 8, 4
CONSTANT = {"training__optimizer__schedule": "constant", "schedule__checkpoint_every": 2}
KEEP = {"training__checkpoint__keep_last": 4}
DECAY = {"training__optimizer__schedule": "wsd", "schedule__decay_steps": 4, "schedule__checkpoint_every": 2}


@pytest.fixture(scope="module")
def trunk(workplace, tiny_plan):
    """A run at a constant rate, with all its checkpoints."""
    place = workplace(tiny_plan(steps=STEPS, **CONSTANT, **KEEP))
    assert place.train() == Exit.DONE
    return place


@pytest.fixture
def branched(trunk, workplace, tiny_plan):
    """A function: settings -> a workplace that begins with the trunk's checkpoint of step 4."""

    def make(**changes):
        point = {"run": trunk.run.path.name, "step": AT, "tokens": AT * 4 * 32}
        place = workplace(tiny_plan(steps=STEPS, extends_run=point, schedule__inherited_samples=AT * 4, **changes))
        shutil.rmtree(place.run.data)
        shutil.copytree(trunk.run.data, place.run.data)
        assert (
            decide(place.plan, RunFolder(place.bundle.parent / "new"), trunk.run.path.parent)
            .news[0]
            .startswith(f"resuming from step {AT}:")
        )
        take_over(place.plan, place.run, trunk.run.path.parent)
        return place

    return make


def test_a_branch_with_the_trunks_settings_is_the_trunk(trunk, branched):
    """From the branch point on: same losses, same weights, optimizer and generators, bit for bit."""
    place = branched(**CONSTANT)
    assert place.train() == Exit.DONE
    assert place.losses() == {step: loss for step, loss in trunk.losses().items() if step > AT}
    assert place.state() == trunk.state()


def test_a_branch_decays_and_resumes_bit_for_bit(trunk, branched):
    """Two branches of one trunk: the one that was killed ends as the other; the trunk is as it was."""
    before, kept = trunk.state(), trunk.run.events.read_bytes()
    whole, killed = branched(**DECAY), branched(**DECAY)
    assert whole.train() == Exit.DONE
    assert killed.train(inject="kill rank=1 step=7") == Exit.PEER_LOST
    assert killed.train() == Exit.DONE
    assert [e["learning_rate"] for e in whole.events("step")] == pytest.approx(
        [3e-3 * s for s in (0.775, 0.55, 0.325, 0.1)]
    )
    assert (killed.losses(), killed.state()) == (whole.losses(), whole.state())
    assert (trunk.state(), trunk.run.events.read_bytes()) == (before, kept)


def test_what_was_inherited_is_counted_once(trunk, branched):
    """The row of a branch is its own energy; the table of its lineage adds the trunk's up to the branch point."""
    place = branched(**DECAY)
    assert place.train() == Exit.DONE
    family = build_report([trunk.run.path, place.run.path])
    whole, branch = family.runs
    assert family.actual_total.energy_kwh == pytest.approx(whole.actual.energy_kwh + branch.actual.energy_kwh)
    assert (branch.inherited.step, branch.inherited.tokens) == (AT, AT * 4 * 32)
    assert 0 < branch.inherited.energy_kwh < whole.actual.energy_kwh
    assert (whole.inherited, branch.training.tokens) == (None, STEPS * 4 * 32)


def test_a_branch_of_another_model_or_checkpoint_is_refused(trunk, tiny_plan, tmp_path):
    """Before anything is written: other sizes, a step that is not there, tokens that are not the checkpoint's."""
    root, point = trunk.run.path.parent, {"run": trunk.run.path.name, "step": AT, "tokens": AT * 4 * 32}
    wrong = (
        ({"extends_run": point, "model__rope_theta": 5e5}, "model.rope_theta"),
        ({"extends_run": {**point, "step": 5}}, "damaged"),
        ({"extends_run": {**point, "tokens": 1024}}, "it has seen 512 tokens"),
    )
    empty = RunFolder(tmp_path / "run")
    for changes, message in wrong:
        with pytest.raises(InputError) as refusal:
            decide(tiny_plan(steps=STEPS, **DECAY, **changes), empty, root)
        assert message in str(refusal.value)
    assert not empty.path.exists()


def test_a_run_that_has_begun_cannot_become_a_branch(trunk, tiny_plan):
    """`extends_run` on a run with checkpoints of its own is a changed setting, and refused."""
    point = {"run": "elsewhere", "step": STEPS, "tokens": STEPS * 4 * 32}
    plan = tiny_plan(steps=2 * STEPS, extends_run=point, training__on_change="apply", **CONSTANT)
    with pytest.raises(InputError, match="extends_run"):
        decide(plan, trunk.run, trunk.run.path.parent)


def test_a_branch_keeps_what_it_inherited(branched):
    """In a file of its own, which says where the branch is from when the trunk is gone."""
    place = branched(**DECAY)
    kept = json.loads(place.run.inherited.read_text())
    assert (kept["name"], kept["step"], kept["tokens"]) == ("tiny", AT, AT * 4 * 32)
    assert kept["energy_kwh"] > 0
