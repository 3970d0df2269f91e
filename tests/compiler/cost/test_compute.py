"""Promises of the arithmetic of one layer."""

from __future__ import annotations

import pytest

from trainwright.compiler.cost.case import Hardware, StepCase, Workload
from trainwright.compiler.cost.compute import head_time, layer_time, matmul_seconds
from trainwright.compiler.cost.stack import profile
from trainwright.spec.hardware import gpu
from trainwright.spec.layout import Layout
from trainwright.spec.shape import ModelShape

A100 = gpu("A100")
LLAMA_7B = ModelShape(32, 4096, 11008, 32, 32, 32000)


def _case(name="fsdp-compiled", **layout):
    hardware = Hardware(A100, 8, 25e9, "infiniband")
    return StepCase(Workload(LLAMA_7B, 4096, 8), Layout(**layout), hardware, profile(name))


@pytest.mark.parametrize("size", [256, 1000, 4096, 8192])
def test_no_matmul_beats_the_best_measured_one(size):
    """A product never runs faster than the device's measured ceiling."""
    flops = 2 * size**3 / matmul_seconds(A100, "bf16", size, size, size)
    assert flops <= A100.flops["bf16"] * A100.kernel


def test_large_aligned_matmuls_come_near_the_ceiling():
    """An 8192-cube reaches at least 80% of the measured ceiling."""
    flops = 2 * 8192**3 / matmul_seconds(A100, "bf16", 8192, 8192, 8192)
    assert flops >= 0.8 * A100.flops["bf16"] * A100.kernel


def test_odd_vocabulary_is_slow():
    """GPT-2's 50,257 words cost at least twice 50,304 of them (vTrain's unpadded head)."""
    odd = matmul_seconds(A100, "fp16", 8192, 50257, 2048)
    assert odd > 2 * matmul_seconds(A100, "fp16", 8192, 50304, 2048)


def test_one_tile_more_than_a_wave_costs_a_wave():
    """Wave quantisation: 109 tiles of work take longer per tile than 108."""
    full = matmul_seconds(A100, "bf16", 256 * 108, 128, 4096)
    more = matmul_seconds(A100, "bf16", 256 * 109, 128, 4096)
    assert more / full > 1.05


def test_thin_products_run_at_the_memory_pace():
    """One token against a large matrix takes as long as reading the matrix."""
    seconds = matmul_seconds(A100, "bf16", 1, 8192, 8192)
    assert seconds >= 2 * 8192 * 8192 / A100.bandwidth


def test_backward_costs_about_twice_forward():
    """Two products for each one of the forward pass."""
    times = layer_time(_case())
    assert 1.8 <= times.backward.matmul / times.forward.matmul <= 2.3


def test_tensor_parallel_divides_the_products():
    """Eight ranks do an eighth of the multiplications each, with some loss to small tiles."""
    whole, part = layer_time(_case()).forward.matmul, layer_time(_case(tensor=8)).forward.matmul
    assert whole / 8 <= part <= whole / 8 * 1.5


def test_flash_attention_saves_time_over_materialised():
    """The materialised softmax moves every score through memory several times."""
    assert layer_time(_case("megatron-2021")).forward.attention > 2 * layer_time(_case()).forward.attention


@pytest.mark.parametrize("name", ["deepspeed", "megatron-2021"])
def test_tensor_parallel_ranks_share_the_head(name):
    """Its vocabulary is divided, by our runtime as by Megatron."""
    assert head_time(_case(name, tensor=8)) < head_time(_case(name)) / 4
