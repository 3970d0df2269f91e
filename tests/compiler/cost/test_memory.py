"""Promises of the memory model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainwright.compiler.cost.case import Hardware, StepCase, Workload
from trainwright.compiler.cost.from_spec import cost_case
from trainwright.compiler.cost.memory import (
    BUCKET_BYTES,
    activation_bytes,
    bucket_bytes,
    memory_bytes,
    state_bytes,
)
from trainwright.compiler.cost.runtime_memory import SLICE_ROWS, head_bytes, kept_bytes, working_bytes
from trainwright.compiler.cost.stack import profile
from trainwright.compiler.render.ds_config import deepspeed_config
from trainwright.runtime.model.attention import LONGEST
from trainwright.runtime.model.lm_head import CHUNK_LOGITS, MIN_CHUNK_ROWS
from trainwright.spec.hardware import gpu
from trainwright.spec.layout import Layout
from trainwright.spec.shape import ModelShape

from ..specs import unit

LLAMA_7B = ModelShape(32, 4096, 11008, 32, 32, 32000)
TRILLION = ModelShape(
    128, 25600, 102400, 160, 160, 51200, gated=False, tied_embeddings=True, biases=True, learned_positions=2048
)


def _case(shape=LLAMA_7B, name="deepspeed", batch=64, **layout):
    return StepCase(
        Workload(shape, 2048, batch), Layout(**layout), Hardware(gpu("A100"), 8, 25e9, "infiniband"), profile(name)
    )


@pytest.mark.parametrize(("zero", "per_parameter"), [(0, 18), (1, 6 + 12 / 8), (2, 2 + 16 / 8), (3, 18 / 8)])
def test_zero_divides_what_its_stage_says(zero, per_parameter):
    """ZeRO 1 shards the optimizer, 2 also gradients, 3 also weights (arXiv 1910.02054, figure 1; fp32 gradients)."""
    parts = state_bytes(_case(data=8, zero=zero))
    held = sum(parts[name] for name in ("weights", "gradients", "optimizer"))
    assert held == pytest.approx(per_parameter * LLAMA_7B.parameters, rel=0.001)


def test_trillion_model_matches_the_paper():
    """Korthikanti 2022, figure 1: 32.96 GiB of weights and optimizer, 26.56 GiB of activations (seq + selective)."""
    case = _case(
        TRILLION, "megatron-2021", 512, tensor=8, pipeline=64, zero=0, accumulation=512,
        activation_checkpointing="selective",
        megatron_sequence=True,
    )  # fmt: skip
    assert sum(state_bytes(case).values()) / 2**30 == pytest.approx(32.96, rel=0.1)
    assert activation_bytes(case) / 2**30 == pytest.approx(26.56, rel=0.15)


def test_recomputation_saves_memory_in_order():
    """Full keeps less than selective, selective less than none."""
    full, selective, none = (
        activation_bytes(_case(activation_checkpointing=kind)) for kind in ("full", "selective", "none")
    )
    assert full < selective < none


def test_offload_leaves_the_optimizer_in_the_host():
    """Nothing of the optimizer stays on the device."""
    assert state_bytes(_case(offload="optimizer"))["optimizer"] == 0


def test_more_ranks_never_need_more_memory_each():
    """ZeRO-3 over more ranks: monotone."""
    totals = [sum(memory_bytes(_case(data=data, zero=3)).values()) for data in (8, 64, 512)]
    assert totals == sorted(totals, reverse=True)


def test_tensor_parallel_ranks_share_everything():
    """Embedding and head are cut over the vocabulary: an eighth of all weights."""
    held = state_bytes(_case(tensor=8, zero=0))["weights"] / 2
    assert held == pytest.approx(LLAMA_7B.parameters / 8, rel=0.001)


def test_hpz_costs_a_second_copy_and_nothing_else():
    """DeepSpeed's hpZ shards over all ranks as before and keeps the 16-bit weights once more per group."""
    plain, second = (state_bytes(_case(data=64, zero=3, shard_group=group)) for group in (0, 8))
    assert second.pop("second copy of weights") == pytest.approx(2 * LLAMA_7B.parameters / 8, rel=0.001)
    assert second == plain


@pytest.mark.parametrize("name", ["tiny-cpu", "llama2-7b", "llama2-70b"])
def test_buckets_are_those_of_the_bundle(name):
    """The estimate counts the buffer that ds_config.json asks for: two layers of a small model, never a constant."""
    made = unit(name)
    case = cost_case(made.spec, made.plan.layout)
    asked = deepspeed_config(made.plan)["zero_optimization"]["reduce_bucket_size"]
    assert bucket_bytes(case) == BUCKET_BYTES * asked


def test_the_head_holds_one_slice_of_logits():
    """As the runtime's: ten bytes for each logit (six where the vocabulary is cut), and its weight's fp32 gradient."""
    assert (profile("deepspeed").memory.slice, profile("cpu").memory.slice) == (
        CHUNK_LOGITS["cuda"],
        CHUNK_LOGITS["cpu"],
    )
    assert SLICE_ROWS == MIN_CHUNK_ROWS
    shape = replace(LLAMA_7B, vocab_size=128256)
    few, many = (head_bytes(_case(shape, micro_batch=micro)) - 2 * micro * 2048 * 4096 for micro in (2, 16))
    assert few == many == 10 * CHUNK_LOGITS["cuda"] + 4 * 128256 * 4096
    cut = head_bytes(_case(shape, micro_batch=16, tensor=2)) - 2 * 16 * 2048 * 4096
    assert cut == 6 * CHUNK_LOGITS["cuda"] + 4 * 128256 / 2 * 4096


def test_selective_keeps_every_projection():
    """Norms and their results, q, k, v, gate and up: 10 d + 4 kv + 4 f bytes a token (runtime/model/llama.py)."""
    _, kept = kept_bytes(_case(activation_checkpointing="selective", micro_batch=1))
    assert kept == 2048 * (10 * 4096 + 4 * 4096 + 4 * 11008)


def test_a_layer_keeps_what_the_allocator_shows():
    """24 layers of 1,024 on 16,384 tokens: 561 MiB a layer, of which the model leaves the fp32 scales of norms out."""
    shape = ModelShape(24, 1024, 2816, 16, 4, 32000)
    _, kept = kept_bytes(_case(shape, micro_batch=8))
    assert kept / 2**20 == pytest.approx(561, rel=0.003)


def test_one_micro_batch_gives_its_gradients_the_places_of_activations():
    """With several, gradients are there beside the activations of the next; with one, only what does not fit."""
    several, one = (memory_bytes(_case(micro_batch=8, accumulation=count)) for count in (2, 1))
    assert several["gradients"] == pytest.approx(4 * LLAMA_7B.parameters, rel=0.001)
    assert one["gradients"] < several["gradients"]


def test_the_first_stage_has_no_head():
    """It holds more activations than the last one and no logits; a step's peak is that of the fuller stage."""
    parts = memory_bytes(_case(micro_batch=1, pipeline=4, accumulation=8))
    assert parts["logits"] == 0
    assert parts["backward pass"] > 0


def test_full_recomputation_adds_one_layer_where_that_is_more_than_the_head():
    """The layer that is computed again and the slice of logits are never there at once."""
    parts = memory_bytes(_case(micro_batch=16, activation_checkpointing="full"))
    assert parts["logits"] + parts["backward pass"] > kept_bytes(_case(micro_batch=16))[1]
    assert memory_bytes(_case(micro_batch=1, activation_checkpointing="full"))["backward pass"] == 0


def test_a_cpu_keeps_the_probabilities_of_short_sequences():
    """runtime/model/attention.py keeps the fp32 half under the mask of sequences up to its longest."""
    assert profile("cpu").memory.scores == (2, LONGEST)
    short, long = (Workload(LLAMA_7B, length, 8) for length in (LONGEST, LONGEST + 64))
    cases = [replace(_case(name=name), workload=each) for each in (short, long) for name in ("cpu", "deepspeed")]
    kept = [kept_bytes(case)[1] for case in cases]
    assert kept[0] - kept[1] == 32 * LONGEST**2 * 4 / 2
    assert kept[2] == kept[3]


LLAMA_34B = ModelShape(48, 8192, 22016, 64, 8, 32000)
LLAMA_70B = ModelShape(80, 8192, 28672, 64, 8, 32000)
FULL = {"zero": 3, "accumulation": 2, "activation_checkpointing": "full"}


@pytest.mark.parametrize(
    ("shape", "layout", "tensors", "taken"),
    [
        (LLAMA_7B, {**FULL, "data": 16, "micro_batch": 4}, 16.86, 19.19),
        (LLAMA_34B, {**FULL, "data": 64}, 20.84, 23.88),
        (LLAMA_70B, {**FULL, "data": 256}, 19.63, 21.65),
        (LLAMA_70B, {**FULL, "data": 32, "tensor": 8}, 11.65, 12.63),
    ],
)
def test_zero_3_runs_ahead_in_the_backward_pass(shape, layout, tensors, taken):
    """GiB of tensors, and taken from the device, in benchmarks/device_memory.py: 4,096 tokens a sequence."""
    case = replace(_case(shape, **layout), workload=Workload(shape, 4096, 64))
    parts = {name: size / 2**30 for name, size in memory_bytes(case).items()}
    assert sum(parts.values()) > taken
    assert sum(parts.values()) - parts["context"] - parts["fragmentation"] == pytest.approx(tensors, rel=0.05)


def test_deterministic_attention_has_a_sum_for_each_block():
    """One head a rank: an A100's 108 multiprocessors work on as many blocks of it at once."""
    case = _case(tensor=32)
    exact = replace(case, workload=Workload(LLAMA_7B, 2048, 64, deterministic=True))
    assert working_bytes(exact) == 4 * 108 * 2048 * 4096 / 32 > working_bytes(case)
