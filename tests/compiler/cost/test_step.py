"""Promises of the step model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainwright.compiler.cost.case import Hardware, StepCase, Workload
from trainwright.compiler.cost.compute import layer_time
from trainwright.compiler.cost.goodput import Allocation, best_interval, goodput
from trainwright.compiler.cost.stack import profile
from trainwright.compiler.cost.step import step
from trainwright.spec.hardware import gpu
from trainwright.spec.layout import Layout
from trainwright.spec.shape import ModelShape
from trainwright.spec.step_parts import StepPart

GPT_18B = ModelShape(
    40, 6144, 24576, 48, 48, 51200, gated=False, tied_embeddings=True, biases=True, learned_positions=2048
)
INTERN_7B = ModelShape(32, 4096, 11008, 32, 32, 103168)


def _case(shape=GPT_18B, name="megatron-2021", net=25e9, speed=1.0, **layout):
    found = Layout(**layout)
    workload = Workload(shape, 2048, found.global_batch)
    return StepCase(workload, found, Hardware(gpu("A100"), 8, net, "infiniband"), profile(name), speed)


def test_parts_add_up_to_the_step():
    """Nothing is counted twice or lost."""
    found = step(_case(tensor=8, data=4, pipeline=4, accumulation=16, activation_checkpointing="full"))
    assert sum(found.parts.values()) == pytest.approx(found.seconds)
    assert all(value >= 0 for value in found.parts.values())


def test_the_bubble_is_the_known_fraction():
    """1F1B: (stages - 1) / micro batches of the working time, smaller by the interleaving."""
    plain = step(_case(tensor=8, pipeline=4, accumulation=12))
    folded = step(_case(tensor=8, pipeline=4, accumulation=12, interleave=5))
    workload = plain.parts[StepPart.COMPUTE] + plain.parts[StepPart.TENSOR_PARALLEL]
    assert plain.parts[StepPart.PIPELINE_BUBBLE] / workload == pytest.approx(3 / 12, rel=0.1)
    assert folded.parts[StepPart.PIPELINE_BUBBLE] == pytest.approx(plain.parts[StepPart.PIPELINE_BUBBLE] / 5)


def test_full_recomputation_repeats_the_forward_pass():
    """A third more compute, no more."""
    none, full = (step(_case(tensor=8, activation_checkpointing=kind)).parts for kind in ("none", "full"))
    assert 0.25 <= full[StepPart.RECOMPUTATION] / none[StepPart.COMPUTE] <= 0.40


def test_early_stop_leaves_out_the_last_product():
    """PyTorch's checkpoint repeats less than Megatron's: all but the product of the feed-forward's output."""
    stack = replace(profile("megatron-2021"), early_stop=True)
    asked = _case(activation_checkpointing="full")
    whole, short = (step(case).parts[StepPart.RECOMPUTATION] for case in (asked, replace(asked, profile=stack)))
    last = layer_time(asked).last * GPT_18B.layers
    assert whole - short == pytest.approx(last)
    assert 0.2 <= last / whole <= 0.34


def test_hidden_gathers_slow_what_hides_them_as_long_as_the_links_are_busy():
    """Contention costs its share of the time that the gathers take inside a node, on any network."""
    calm = replace(profile("fsdp"), contention=0.0)
    added = [
        step(case).parts[StepPart.ZERO3_GATHERS] - step(replace(case, profile=calm)).parts[StepPart.ZERO3_GATHERS]
        for case in (_case(name="fsdp", data=64, zero=3, micro_batch=4, net=net) for net in (25e9, 12.5e9))
    ]
    moved = 3 * 2 * GPT_18B.parameters * 63 / 64
    assert added == pytest.approx([profile("fsdp").contention * moved / (0.77 * 300e9)] * 2, rel=0.01)


@pytest.mark.parametrize(("pace", "longer"), [(0.1, 0.0), (1.0, 0.149), (10.0, 9.0)])
def test_host_and_device_wait_for_each_other(pace, longer):
    """A host ten times as fast costs nothing, one ten times as slow sets the pace, an equal one costs 15%."""
    asked = _case()
    times = layer_time(asked)
    device = times.forward.seconds + times.backward.seconds
    stack = replace(asked.profile, host=(pace * device, 0.0, 0.0))
    waiting = step(replace(asked, profile=stack)).parts[StepPart.HOST_WAIT]
    assert waiting / (device * GPT_18B.layers) == pytest.approx(longer, abs=0.001)


def test_a_slower_clock_slows_compute_only():
    """Half the clock doubles compute and leaves the network alone."""
    fast, slow = (step(_case(tensor=8, data=4, speed=speed)).parts for speed in (1.0, 0.5))
    assert slow["compute"] == pytest.approx(2 * fast["compute"])
    assert slow["tensor parallel"] == pytest.approx(fast["tensor parallel"])


def test_tensor_parallel_across_nodes_is_a_disaster():
    """Sixteen ranks over two nodes communicate far longer than eight in one."""
    inside, across = (step(_case(tensor=t, net=12.5e9)).parts[StepPart.TENSOR_PARALLEL] for t in (8, 16))
    assert across > 2 * inside


def test_global_zero1_degrades_and_node_local_does_not():
    """InternEvo 7B on 4 x 100 Gb/s a node: 0.56 of its speed left at 1,024 GPUs, 0.89 with sharding inside nodes."""
    speed = {}
    for group in (0, 8):
        one, many = (
            step(_case(INTERN_7B, "internevo", 6.25e9, data=data, micro_batch=2, accumulation=4, shard_group=group))
            for data in (8, 1024)
        )
        speed[group] = one.seconds / many.seconds
    assert speed[0] == pytest.approx(2271 / 4062, abs=0.1)
    assert speed[8] == pytest.approx(3625 / 4078, abs=0.05)


def test_small_models_run_at_the_host_pace():
    """Halving a tiny layer's work changes nothing when the host is the bottleneck."""
    tiny = ModelShape(12, 256, 1024, 4, 4, 50304)
    assert step(_case(tiny)).parts[StepPart.HOST_WAIT] > 0.5 * step(_case(tiny)).seconds


def test_goodput_falls_with_scale():
    """More devices fail more often; the share stays a share."""
    shares = [goodput(Allocation(devices, 8, 14e9), 3600).value for devices in (8, 1024, 16384)]
    assert shares == sorted(shares, reverse=True)
    assert all(0.5 < share <= 1 for share in shares)


def test_goodput_at_16384_devices_is_where_llama_3_reports_it():
    """Over 90% effective training time (arXiv 2407.21783, section 3.3.4), and a save every few minutes."""
    found = goodput(Allocation(16384, 8, 14 * 405_853_388_800), None)
    assert 0.90 < found.value < 0.95
    assert 120 < found.interval < 1200
    assert found.low < found.value < found.high


@pytest.mark.parametrize("devices", [8, 512, 16384])
def test_the_best_interval_loses_least(devices):
    """Twice or half as often costs more (Young 1974); however rare failures are, a save comes every 3 hours."""
    run = Allocation(devices, 8, 14 * 70e9)
    best = best_interval(run)
    assert best <= 3 * 3600
    assert (
        goodput(run, None).saving <= min(goodput(run, best * 2).saving, goodput(run, best / 2).saving) or best == 10800
    )


def test_a_cut_vocabulary_is_summed_once_each_way():
    """Tensor parallel: two sums a layer and direction, one more for the embedding and one for the head's gradient."""
    shapes = [replace(GPT_18B, layers=layers) for layers in (1, 2)]
    one, two = (step(_case(shape, tensor=4, accumulation=3)).parts[StepPart.TENSOR_PARALLEL] for shape in shapes)
    assert two - one > 0
    assert one - (two - one) == pytest.approx((two - one) / 2)
