"""Going on from a checkpoint: damage, hostility, changed settings, a full disk, a used-up budget."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import subprocess

import pytest
import torch

from trainwright.runtime.checkpoint import store
from trainwright.runtime.engine.checkpoint_engine import DurableCheckpointEngine
from trainwright.spec.exit_codes import Exit
from trainwright.spec.layout import Layout

ALONE = Layout(micro_batch=2, accumulation=2)


@pytest.fixture
def halfway(workplace, tiny_plan):
    """A function: a run of 4 steps with checkpoints at 2 and 4, whose plan now asks for 6 and for `changes`."""

    def make(**changes):
        place = workplace(tiny_plan(ALONE, steps=4, schedule__checkpoint_every=2))
        assert place.train() == Exit.DONE
        longer = {"steps": 6, "schedule__checkpoint_every": 2, "training__on_change": "apply"}
        place.write_bundle(tiny_plan(ALONE, **longer | changes))
        return place

    return make


def newest(place):
    """The newest generation's folder."""
    return store.list_checkpoints(place.run.checkpoints)[0]


def test_a_damaged_checkpoint_is_passed_over(halfway):
    """One flipped byte in the newest: the run goes on from the one before, and says which file was damaged."""
    place = halfway()
    path = newest(place) / "engine" / "mp_rank_00_model_states.pt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert place.train() == Exit.DONE
    assert place.events("start")[-1]["step"] == 2
    assert place.faults() == ["step-00000004/engine/mp_rank_00_model_states.pt has a different SHA-256"]


def test_without_a_sound_checkpoint_nothing_is_overwritten(halfway):
    """All generations damaged: the run refuses to start over in their place."""
    place = halfway()
    for generation in store.list_checkpoints(place.run.checkpoints):
        (generation / "state.json").write_bytes(b"")
    assert place.train() == Exit.CORRUPT
    assert len(store.list_checkpoints(place.run.checkpoints)) == 2
    assert "state.json has 0 bytes" in place.faults()[-1]


class Gadget:
    """A pickle that creates a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_hostile_pickle_is_not_executed(tmp_path):
    """Even in a file with the right hash, nothing but tensors and DeepSpeed's own few classes is loaded."""
    torch.save({"module": Gadget(tmp_path / "executed")}, tmp_path / "gadget.pt")
    with pytest.raises(pickle.UnpicklingError):
        DurableCheckpointEngine().load(str(tmp_path / "gadget.pt"), map_location="cpu")
    assert not (tmp_path / "executed").exists()


def hostile_pickle(generation, trap):
    """A program in the place of the weights."""
    torch.save({"module": Gadget(trap)}, generation / "engine" / "mp_rank_00_model_states.pt")


def spare_pickle(generation, trap):
    """A program under a name that DeepSpeed's converter looks at as well."""
    torch.save({"module": Gadget(trap)}, generation / "engine" / "mp_rank_00_model_states.bak")


def hidden_pickle(generation, trap):
    """A program under the right name, one folder down."""
    (generation / "engine" / "more").mkdir()
    torch.save({"module": Gadget(trap)}, generation / "engine" / "more" / "mp_rank_00_model_states.pt")


def traversal(generation, trap):
    """The name of a weight that is a path."""
    path = generation / "engine" / "zero_pp_rank_0_mp_rank_00_optim_states.pt"
    state = DurableCheckpointEngine().load(str(path))
    (mapping, *_) = state["optimizer_state_dict"]["param_slice_mappings"]
    mapping[f"../../../../../../{trap}"] = next(iter(mapping.values()))
    torch.save(state, path)


def no_run_state(generation, trap):
    """A loop's state of another kind."""
    del trap
    (generation / "state.json").write_text('{"state": [], "settings": {"plan": {"layout": 3}}}')


ATTACKS = [hostile_pickle, spare_pickle, hidden_pickle, traversal, no_run_state]


def resealed(attack, reseal, generation, trap):
    """Change a generation as whoever can write it can."""
    attack(generation, trap)
    reseal(generation)


@pytest.mark.parametrize("ranks", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_hostile_state_is_passed_over_not_executed(workplace, tiny_plan, reseal, tmp_path, ranks):
    """With the right hashes, resumed on as many ranks or on others: nothing runs, nothing is written outside.

    Each attack is named, and the run resumes from the checkpoint that is ours.
    """
    often = {"schedule__checkpoint_every": 1, "training__checkpoint__keep_last": 9, "training__on_change": "apply"}
    place, trap = workplace(tiny_plan(layout(data=2, zero=1), steps=6, **often)), tmp_path / "executed"
    assert place.train() == Exit.DONE
    for generation, attack in zip(store.list_checkpoints(place.run.checkpoints), ATTACKS, strict=False):
        resealed(attack, reseal, generation, trap)
    place.write_bundle(tiny_plan(layout(data=ranks, zero=1), steps=7, **often))
    assert place.train() == Exit.DONE, place.output()
    assert place.events("start")[-1]["step"] == 1
    assert len(place.faults()) == len(ATTACKS)
    assert not trap.exists()
    assert not list(place.run.checkpoints.glob(".*"))


def test_state_that_does_not_fit_ends_with_corrupt(halfway, reseal):
    """Plain state under the right names that the engine cannot take: one sentence and 77, whatever DeepSpeed raises."""
    place = halfway()
    for generation in store.list_checkpoints(place.run.checkpoints):
        path = generation / "engine" / "mp_rank_00_model_states.pt"
        state = DurableCheckpointEngine().load(str(path))
        state["module"].popitem()
        torch.save(state, path)
        reseal(generation)
    assert place.train() == Exit.CORRUPT
    assert "does not fit" in place.output()
    assert "Traceback" not in place.output()


def test_a_signed_run_resumes_only_from_its_own_checkpoints(halfway, reseal, tmp_path):
    """With a key file a checkpoint that somebody else sealed is passed over; without the file nothing starts."""
    (tmp_path / "key").write_bytes(b"0123456789abcdef" * 2)
    place = halfway(training__checkpoint__key_file=str(tmp_path / "key"))
    assert place.train() == Exit.CORRUPT  # saved before there was a key
    for generation in store.list_checkpoints(place.run.checkpoints):
        reseal(generation, (tmp_path / "key").read_bytes())
    reseal(newest(place), b"another key, of somebody else")
    (tmp_path / "key").rename(tmp_path / "elsewhere")
    assert place.train() == Exit.INPUT
    assert "TW713" in place.output()
    (tmp_path / "elsewhere").rename(tmp_path / "key")
    assert place.train() == Exit.DONE
    assert place.events("start")[-1]["step"] == 2


def test_a_file_written_in_the_background_holds_the_moment_of_its_saving(tmp_path):
    """What training does to the weights meanwhile is not in it, and its hash is that of the file."""
    files, weights = DurableCheckpointEngine(background=True), torch.ones(1 << 22)
    files.save({"weights": weights}, str(tmp_path / "state.pt"))
    weights.zero_()
    assert files.collect_written(tmp_path) == {"state.pt": store.hash_file(tmp_path / "state.pt")}
    assert files.load(str(tmp_path / "state.pt"))["weights"].min() == 1


def test_a_changed_setting_is_refused_or_applied_by_name(halfway):
    """Refused: exit 2, naming the key. Applied: the new rate is used, and the start event names every change."""
    place = halfway(training__optimizer__learning_rate=1e-4, training__on_change="refuse")
    assert place.train() == Exit.INPUT
    assert "training.optimizer.learning_rate: 0.003 in the checkpoint, 0.0001 now" in place.output()
    applied = place.plan.model_dump(mode="json")
    applied["training"]["on_change"] = "apply"
    place.write_bundle(type(place.plan).model_validate(applied))
    assert place.train() == Exit.DONE
    start, steps = place.events("start")[-1], place.events("step")
    assert [change.split(":")[0] for change in start["changes"]] == [
        "data.tokens",
        "schedule.steps",
        "training.on_change",
        "training.optimizer.learning_rate",
    ]
    assert start["step"] == 4
    assert [step["learning_rate"] <= 1e-4 for step in steps] == [False] * 4 + [True] * 2


def test_what_defines_the_run_is_never_changed(halfway):
    """Another seed of the data order is refused even where the spec says to apply changes."""
    place = halfway(data__seed=9)
    assert place.train() == Exit.INPUT
    assert "data.seed: 0 in the checkpoint, 9 now" in place.output()
    assert place.events("stop")[-1]["step"] == 4


def layout(**options):
    """A layout of the common batch of 4 sequences."""
    wanted = Layout(**options)
    return wanted.model_copy(update={"accumulation": 4 // wanted.data})


@pytest.mark.parametrize(
    ("before", "after", "precision"),
    [
        pytest.param(layout(data=2, zero=1), layout(zero=1), "fp32", marks=pytest.mark.slow),
        (layout(zero=3), layout(data=2, zero=3), "fp32"),
        (layout(data=2, zero=2), layout(sequence=2, zero=2), "bf16"),
        pytest.param(layout(data=2, zero=1), layout(zero=1), "bf16", marks=pytest.mark.slow),
        pytest.param(layout(data=2, zero=3), layout(zero=3), "bf16", marks=pytest.mark.slow),
        pytest.param(layout(zero=2), layout(data=4, zero=2), "fp32", marks=pytest.mark.slow),
        pytest.param(layout(zero=1), layout(data=2, zero=2), "fp32", marks=pytest.mark.slow),
        pytest.param(layout(data=2, zero=3), layout(sequence=2, data=2, zero=3), "fp32", marks=pytest.mark.slow),
        pytest.param(layout(tensor=2, zero=1), layout(tensor=2, data=2, zero=1), "fp32", marks=pytest.mark.slow),
        (layout(tensor=2, zero=1), layout(data=2, zero=1), "fp32"),
        pytest.param(layout(zero=2), layout(tensor=2, zero=2), "bf16", marks=pytest.mark.slow),
        pytest.param(layout(tensor=2, zero=3), layout(data=2, zero=3), "fp32", marks=pytest.mark.slow),
    ],
)
def test_goes_on_with_other_ranks(workplace, tiny_plan, before, after, precision):
    """Half the run in one layout, half in another: the losses are those of one layout throughout, up to rounding."""
    changes = {"steps": 8, "training__precision": precision, "training__on_change": "apply"}
    truth = workplace(tiny_plan(layout(), **changes))
    assert truth.train() == Exit.DONE
    place = workplace(tiny_plan(before, schedule__checkpoint_every=4, **changes))
    place.start("kill rank=0 step=6").wait(60)
    place.write_bundle(tiny_plan(after, **changes))
    assert place.train() == Exit.DONE
    assert place.events("start")[-1]["step"] == 4
    assert place.losses() == pytest.approx(truth.losses(), rel=1e-6 if precision == "fp32" else 2e-4)
    assert not list(place.run.checkpoints.glob(".*"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (layout(zero=1), layout(zero=3), "layout.zero: 1 in the checkpoint, 3 now"),
        (layout(zero=3), layout(tensor=2, zero=3), "layout.tensor: 1 in the checkpoint, 2 now"),
        (layout(zero=1), layout(pipeline=2, zero=1), "layout.pipeline: 1 in the checkpoint, 2 now"),
    ],
)
def test_what_deepspeed_cannot_convert_is_refused(workplace, tiny_plan, before, after, said):
    """ZeRO-1 into ZeRO-3, other pieces into ZeRO-3 with tensor parallelism, stages: by name, not by a crash."""
    place = workplace(tiny_plan(before, steps=2))
    assert place.train() == Exit.DONE
    place.write_bundle(tiny_plan(after, steps=4, training__on_change="apply"))
    assert place.train() == Exit.INPUT
    assert said in place.output()


def test_a_used_up_budget_ends_the_run_after_a_checkpoint(workplace, tiny_plan):
    """A warning at nine tenths, then a checkpoint and BUDGET; started again it does not train a step more."""
    budget = 30.0 * 5.0 / 3.6e6  # five seconds of the device's 30 W: a busy machine takes some of them to start
    place = workplace(tiny_plan(ALONE, steps=20_000, carbon__budget_kwh=budget))
    assert place.train() == Exit.BUDGET
    end = place.events("stop")[-1]
    assert end["energy_kwh"] >= budget
    assert "of the budget is used" in place.faults()[0]
    assert store.step_of(newest(place)) == end["step"] < 20_000
    assert place.train() == Exit.BUDGET
    assert place.events("stop")[-1]["step"] == end["step"]


def test_a_kill_before_the_first_checkpoint_loses_nothing_but_time(workplace, tiny_plan):
    """Started again from nothing, with a half-written draft in the way, the run is that of the first start."""
    place = workplace(tiny_plan(ALONE, steps=4))
    place.start("kill rank=0 step=3").wait(60)
    (place.run.checkpoints / ".draft-step-00000002").mkdir(parents=True)
    first = place.losses()
    assert place.train() == Exit.DONE
    assert [place.losses()[step] for step in first] == list(first.values())
    assert place.events("start")[-1]["step"] == 0


def test_many_signals_during_a_save_do_not_break_it(workplace, tiny_plan):
    """SIGTERM again and again, also while saving: one sound checkpoint, PREEMPTED, in time."""
    place = workplace(tiny_plan(ALONE, steps=5000, schedule__checkpoint_every=1))
    start = place.start()
    place.wait_for('"step":1,')
    with contextlib.suppress(ProcessLookupError):
        while start.processes[0].exitcode is None:
            start.signal(signal.SIGTERM)
    start.wait(25)
    assert place.code() == Exit.PREEMPTED
    assert store.find_damage(newest(place)) is None
    assert store.step_of(newest(place)) == place.events("stop")[-1]["step"]


@pytest.mark.parametrize(("ranks", "behind"), [(1, False), (2, False), (2, True)])
def test_a_full_disk_leaves_the_checkpoint_before(workplace, tiny_plan, ranks, behind):
    """On a disk with room for one checkpoint: STORAGE on all ranks, the first is intact, no draft is left."""
    often = {"schedule__checkpoint_every": 2, "training__checkpoint__asynchronous": behind}
    place = workplace(tiny_plan(Layout(data=ranks, accumulation=4 // ranks), steps=4, **often))
    place.run.checkpoints.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2400k", "tmpfs", str(place.run.checkpoints)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        assert place.train() == Exit.STORAGE
        assert [store.step_of(g) for g in store.list_checkpoints(place.run.checkpoints)] == [2]
        assert store.find_damage(newest(place)) is None
        assert not list(place.run.checkpoints.glob(".*"))
        assert "No space left" in place.faults()[-1]
        shutil.rmtree(newest(place))
    finally:
        subprocess.run(["umount", str(place.run.checkpoints)], check=True)
