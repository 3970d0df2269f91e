"""Promises of the layout search."""

from __future__ import annotations

import time

import pytest

from trainwright.compiler.plan.layout_search import ROOM, choose, search
from trainwright.spec.problem import InputError
from trainwright.tests.compiler.specs import loaded


def _spec(name="llama2-7b", *sets):
    return loaded(name, *sets).spec


def test_every_candidate_is_one_that_the_runtime_can_run():
    """No ZeRO-0, stages with ZeRO-1, tensor x sequence inside a node, shard groups without tensor, all devices used."""
    for candidate in search(_spec("llama2-70b")).candidates:
        layout = candidate.layout
        assert layout.gpus == 2048
        assert layout.context == layout.interleave == 1
        assert layout.pipeline == 1 or (layout.zero == 1 and 80 % layout.pipeline == 0)
        assert layout.zero in (1, 2, 3)
        assert layout.tensor * layout.sequence <= 8
        assert layout.shard_group in (0, 8)
        assert not layout.shard_group or (layout.zero, layout.tensor) == (3, 1)


def test_sequence_parallel_is_offered_with_every_stage_and_with_tensor_parallel():
    """What the runtime is proven to train rightly is searched."""
    layouts = [candidate.layout for candidate in search(_spec()).candidates]
    found = {(a.tensor > 1, a.zero) for a in layouts if a.sequence > 1 and a.pipeline == 1}
    assert found == {(tensor, zero) for tensor in (True, False) for zero in (1, 2, 3)}


def test_the_batch_that_was_asked_for_comes_before_speed():
    """216 devices can share 4M tokens as 1944 sequences of 2048; a faster layout of 1728 is named, not taken."""
    changes = ("cluster.gpus=216", "training.sequence_length=2048", "model={ffn_size: 11008, vocab_size: 50304}")
    found = search(_spec("llama2-7b", *changes, "tokenizer.vocab_size=50304", "cluster.gpu=A100-SXM4-40GB"))
    asked = 4e6 / 2048
    assert abs(found.best.layout.global_batch / asked - 1) < 0.05
    faster = [other for other in found.candidates if other.pace > found.best.pace * 1.01]
    assert faster
    assert all("faster, but" in other.verdict for other in faster)
    assert all(abs(other.layout.global_batch / asked - 1) > 0.05 for other in faster)


def test_the_best_comes_first_and_others_say_why_they_lose():
    """Sorted by pace; each loser has a verdict that names what it loses on, or what does not fit."""
    found = search(_spec("llama2-70b"))
    paces = [candidate.pace for candidate in found.candidates[1:]]
    assert paces == sorted(paces, reverse=True)
    assert found.best.verdict == "chosen"
    assert all("slower" in c.verdict or "fast" in c.verdict or "fit" in c.verdict for c in found.candidates[1:])


def test_what_the_spec_fixes_is_kept():
    """parallel.tensor and zero are obeyed, the rest is planned."""
    layout = choose(_spec("llama2-7b", "parallel.tensor=4", "parallel.zero=1"))
    assert (layout.tensor, layout.zero, layout.data) == (4, 1, 256)


SLOW = (
    "cluster.gpus=64",
    "cluster.interconnect.kind=ethernet",
    "cluster.interconnect.bandwidth_per_gpu=null",
    "cluster.interconnect.bandwidth_per_node=25 Gbps",
)


def test_stages_are_taken_where_the_network_is_slow():
    """On 25 Gbps Ethernet a pipeline wins by far; on the paper's fabric, in one node, or asked not to, none."""
    slow = search(_spec("llama2-70b", *SLOW))
    without = search(_spec("llama2-70b", *SLOW, "parallel.pipeline=1"))
    assert slow.best.layout.pipeline > 1
    assert slow.best.pace > 1.5 * without.best.pace
    assert {c.layout.pipeline for c in without.candidates} == {1}
    assert choose(_spec("llama2-70b", "cluster.gpus=64")).pipeline == 1
    assert {c.layout.pipeline for c in search(_spec("llama2-7b", "cluster.gpus=8")).candidates} == {1}


def test_stages_that_are_asked_for_are_taken():
    """Five stages of 70B's eighty layers on forty devices, and nothing else."""
    found = search(
        _spec("llama2-70b", "cluster.gpus=40", "parallel.pipeline=5", "training.global_batch=1000 sequences")
    )
    assert {c.layout.pipeline for c in found.candidates} == {5}


@pytest.mark.parametrize("change", ["model.tied_embeddings=true", "training.precision=fp16"])
def test_what_cannot_be_cut_into_stages_is_not(change):
    """Tied embeddings and fp16 leave the planner with one stage, however slow the network."""
    assert {c.layout.pipeline for c in search(_spec("llama2-70b", *SLOW, change)).candidates} == {1}


def test_the_choice_fits_with_room_to_spare():
    """Memory stays below the share that a plan may fill."""
    best = search(_spec("llama2-70b")).best
    assert best.memory_bytes <= ROOM * 80 * 2**30


@pytest.mark.parametrize(("gpus", "seconds"), [(2048, 1.0), (16384, 3.0)])
def test_search_time_does_not_grow_with_devices(gpus, seconds):
    """Under 1 s for 2,048 GPUs and 3 s for 16,384 (processor time on one core)."""
    spec = _spec("llama2-70b", f"cluster.gpus={gpus}", "training.global_batch=64M tokens")
    start = time.process_time()
    assert search(spec).fits
    assert time.process_time() - start < seconds


def test_impossible_layouts_name_what_works():
    """Three sequences on sixteen devices: an error with the nearest count, not a traceback."""
    spec = _spec("llama2-7b", "cluster.gpus=1024", "training.global_batch=3 sequences")
    with pytest.raises(InputError) as refused:
        choose(spec)
    assert refused.value.problems[0].code == "TW845"
    assert "use " in refused.value.problems[0].help


def test_a_model_too_big_says_how_many_devices_would_hold_it():
    """70B on eight devices fits nowhere; more devices or offload do."""
    spec = _spec("llama2-70b", "cluster.gpus=8")
    with pytest.raises(InputError) as refused:
        choose(spec)
    problem = refused.value.problems[0]
    assert "no layout fits" in problem.message
    assert "fits" in problem.help or "would hold it" in problem.help


def test_a_fixed_layout_that_cannot_fit_offers_one_that_does():
    """ZeRO-1 without recomputation cannot hold 34B; the planner's own choice is offered."""
    spec = _spec("llama2-34b", "parallel.zero=1", "parallel.tensor=1", "parallel.pipeline=1")
    with pytest.raises(InputError) as refused:
        choose(spec)
    assert "this fits: " in refused.value.problems[0].help
    assert "zero: 3" in refused.value.problems[0].help


def test_a_fixed_degree_that_divides_nothing_is_handed_back():
    """Data parallel 3 of 1,024: the planner's own choice is offered."""
    with pytest.raises(InputError) as refused:
        choose(_spec("llama2-7b", "parallel.data=3"))
    assert "parallel: auto" in refused.value.problems[0].help


def test_a_sequence_too_long_for_any_number_of_devices_says_so():
    """Nothing but a shorter sequence or larger devices helps."""
    sets = ("cluster.gpus=8", "training.sequence_length=8388608", "training.global_batch=8 sequences")
    with pytest.raises(InputError) as refused:
        choose(_spec("llama2-7b", *sets))
    assert "sequence_length" in refused.value.problems[0].help


def test_offload_costs_time():
    """An optimizer in the host fits more and steps later."""
    sets = ("cluster.gpus=8", "parallel.zero=3")
    stay = search(_spec("llama2-7b", *sets)).best
    leave = search(_spec("llama2-7b", *sets, "parallel.offload=optimizer")).best
    assert leave.step.parts["optimizer"] > 10 * stay.step.parts["optimizer"]


def test_a_laptop_gets_the_plain_layout():
    """On CPU: data parallel, ZeRO-1, nothing clever."""
    layout = choose(_spec("tiny-cpu"))
    assert (layout.data, layout.zero, layout.tensor, layout.sequence) == (2, 1, 1, 1)
