"""Every layout on pretend devices: it trains, stops and resumes, and does in a step only what it must."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from trainwright.spec.plan import read_plan
from trainwright.tests.fakes.cuda.trace import Trace, group_members

# How often in a step the host may wait, after which mark and for what; anything else is a fault.
ALLOWED_WAITS = {
    ("step", "stream"): (1, "what the log needs of the last step: DeepSpeed's gradient norm"),
    ("backward", "event"): (1, "the loss is read when the backward pass is under way, by an event of its own"),
    ("backward", "stream"): (1, "ZeRO 3 waits for its last reduction before it adds up"),
    ("update", "stream"): (12, "DeepSpeed reads the gradient norm and whether it is finite before it updates"),
}
# The optimizer's state is copied to and fro.
OFFLOADED_WAITS = {("backward", "stream"): 20, ("update", "event"): 1, ("update", "stream"): 26}
# hpZ: one for each parameter when it is first released (DeepSpeed, partition_parameters.py, "temporary fix"): after the
# forward pass of its layer, of the last layer and the head in the backward pass. The planner does not choose it.
SHARDED_TWICE_WAITS = {("forward", "stream"): 28, ("backward", "stream"): 13}


def layout_of(run):
    """The layout of a run's plan."""
    return read_plan(run.bundle).layout


def last_step(run, rank: int = 0) -> Trace:
    """One whole step: the last of the first attempt, in which nothing is written."""
    return run.attempts[0].traces[rank].steps()[-1]


def test_stops_with_its_code(trained):
    """A stop file ends every rank with 75 and a checkpoint."""
    assert [75] * layout_of(trained).gpus == trained.attempts[0].codes, trained.attempts[0].outputs[0][-3000:]


def test_resumes_to_the_end(trained):
    """The second start ends with 0 on every rank, and every step was taken once."""
    attempt = trained.attempts[1]
    assert [0] * layout_of(trained).gpus == attempt.codes, attempt.outputs[0][-3000:]
    assert [event["step"] for event in trained.events("step")] == [1, 2, 3, 4]


def test_ranks_issue_collectives_in_one_order(trained):
    """Any two ranks issue the collectives of the groups that they share in the same order."""
    traces = trained.attempts[-1].traces
    members = group_members(traces)
    for one, other in combinations(range(len(traces)), 2):
        shared = {group for group, ranks in members.items() if {one, other} <= set(ranks)}
        calls = [
            [(e["group"], e["call"], e["bytes"], e["type"]) for e in traces[rank].collectives() if e["group"] in shared]
            for rank in (one, other)
        ]
        both = [[call for call in each if call[1] not in {"send", "receive"}] for each in calls]
        assert both[0] == both[1]


def test_sends_meet_receives(trained):
    """What one stage sends to the next is what that one receives, in the same order."""
    traces = trained.attempts[-1].traces
    members = group_members(traces)
    letters: dict[str, list[tuple[object, ...]]] = {"send": [], "receive": []}
    for rank, trace in enumerate(traces):
        for event in trace.collectives():
            if event["call"] in letters:
                peer = members[event["group"]][event["peer"]]
                way = (rank, peer) if event["call"] == "send" else (peer, rank)
                letters[event["call"]].append((*way, event["bytes"], event["type"]))
    assert Counter(letters["send"]) == Counter(letters["receive"])
    assert bool(letters["send"]) == (layout_of(trained).pipeline > 1)


def test_copies_are_of_pinned_memory(trained):
    """What is copied between host and device in a step lies in pinned memory, but for single numbers."""
    assert [copy for copy in last_step(trained).pageable_copies() if copy["bytes"] > 8] == []


def test_host_waits_only_where_it_must(trained):
    """In a step the host waits for the device as often as the allow-list says, at most."""
    waits = Counter((phase, event["what"]) for phase, event in last_step(trained).phases() if event["op"] == "sync")
    layout = layout_of(trained)
    turns = dict.fromkeys(("step", "forward", "backward"), layout.accumulation)
    allowed = {key: count * turns.get(key[0], 1) for key, (count, _) in ALLOWED_WAITS.items()}
    if layout.offload == "optimizer":
        allowed |= OFFLOADED_WAITS
    if layout.shard_group > 1:
        allowed |= SHARDED_TWICE_WAITS
    assert {key: count for key, count in waits.items() if count > allowed.get(key, 0)} == {}


def test_attention_is_flash(trained):
    """Every layer's attention is a flash kernel; in fp32, which flash cannot, a memory-efficient one."""
    plan, step = read_plan(trained.bundle), last_step(trained)
    fp32 = plan.training.precision == "fp32"
    expected = plan.model.layers // plan.layout.pipeline * plan.layout.accumulation
    assert expected == len(step.during("forward").kernels("fmha_cutlassF" if fp32 else "flash_fwd_kernel"))
    assert expected == len(step.kernels("fmha_cutlassB" if fp32 else "flash_bwd_dq_dk_dv"))


def test_products_are_those_that_the_estimate_counts(trained):
    """All ranks together multiply 6 FLOPs for each matrix element and token: nothing twice, nothing more."""
    plan = read_plan(trained.bundle)
    if plan.layout.activation_checkpointing == "full":
        pytest.skip("the forward pass runs twice, but for what its last product would give")
    shape = plan.model.shape
    d, f, kv = shape.hidden_size, shape.ffn_size, shape.kv_size
    elements = shape.layers * (2 * d * d + 2 * d * kv + 3 * d * f) + shape.vocab_size * d
    products = [e for rank in range(plan.layout.gpus) for e in last_step(trained, rank).of("product")]
    flops = sum(2 * e["m"] * e["n"] * e["k"] * e["batch"] for e in products)
    assert flops == 6 * elements * plan.schedule.tokens_per_step
