"""Promises of reading a published run's layout: what its words mean, and what stands for what it does not say."""

from __future__ import annotations

import pytest

from trainwright.compiler.backtest.run_case import case as case_of
from trainwright.compiler.cost.memory import memory_bytes
from trainwright.compiler.cost.step import step
from trainwright.spec.problem import InputError
from trainwright.tests.compiler.backtest.rows import run

ROW = {
    "id": "row", "kind": "benchmark", "layers": 32, "hidden": 4096, "ffn": 11008, "mlp_gated": True, "heads": 32,
    "kv_heads": 32, "vocab": 32000, "seq_len": 4096, "gpu": "H100-SXM5-80GB", "gpus": 64, "gpus_per_node": 8,
    "gbs_seqs": 256, "framework": "torchtitan", "source_date": "2024-09", "zero_stage": 3,
}  # fmt: skip


def case(row):
    """The case of a row as a file of runs has it."""
    return case_of(run(row))


def _layout(**said):
    return case(ROW | said).layout


def test_pytorch_cuts_the_local_batch_into_as_many_micro_batches_as_stages():
    """16 sequences a rank over 4 stages are 4 micro batches of 4, whether the row calls 16 a micro batch or not."""
    said = {"pp": 4, "dp": 16}
    assert [(a.micro_batch, a.accumulation) for a in (_layout(**said), _layout(**said, micro_batch=16))] == [(4, 4)] * 2
    assert _layout(**said, micro_batch=2).accumulation == 8
    assert _layout(**said).interleave == 1


def test_stages_beside_fsdp_keep_their_weights_gathered():
    """PyTorch does not reshard beside a pipeline: weights in 16 bits and gradients in 32 stay whole."""
    parts = memory_bytes(case(ROW | {"pp": 4, "dp": 16}))
    assert parts["whole gradients"] == pytest.approx(2 * parts["gathered weights"])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"tp": 8}, True),
        ({"tp": 8, "sequence_parallel": False}, False),
        ({}, False),
        ({"sequence_parallel": True}, False),
        ({"tp": 8, "framework": "GPT-NeoX"}, False),
        ({"tp": 8, "framework": "NeMo"}, True),
    ],
)
def test_activations_are_divided_beside_tensor_parallelism_by_default(said, expected):
    """Where the stack does so and the row does not say; without tensor parallelism there is nothing to divide."""
    assert _layout(**said).megatron_sequence is expected


@pytest.mark.parametrize(
    ("said", "recompute"),
    [
        ({}, "selective"),
        ({"act_ckpt": "none"}, "none"),
        ({"act_ckpt": "full"}, "full"),
        ({"act_ckpt": "full, offloaded"}, "full"),
        ({"act_ckpt": "selective_op"}, "selective"),
        ({"framework": "NeMo"}, "none"),
    ],
)
def test_recomputation_is_what_the_row_or_its_framework_says(said, recompute):
    """Torchtitan recomputes selectively unless told otherwise."""
    assert _layout(**said).activation_checkpointing == recompute


def test_offload_is_read():
    """The optimizer, or the checkpointed activations, in host memory: each saves what it moves."""
    there = {"act_ckpt": "full", "micro_batch": 1}
    stay, optimizer, kept = (
        memory_bytes(case(ROW | there | said)) for said in ({}, {"offload": "optimizer"}, {"offload": "activations"})
    )
    assert optimizer["optimizer"] == 0 < stay["optimizer"]
    assert kept["activations"] < stay["activations"]
    assert memory_bytes(case(ROW | there | {"act_ckpt": "full, offloaded"})) == kept


@pytest.mark.parametrize(
    ("said", "optimizer", "kept"),
    [
        (True, True, False), (False, False, False), ("none", False, False), ("optimizer", True, False),
        ("cpu", True, False), ("parameters and optimizer", True, False), ("activations to CPU", False, True),
        ("ZeRO-Offload", True, False), ("optimizer and activations", True, True),
    ],
)  # fmt: skip
def test_what_is_offloaded_is_a_switch_or_words_with_a_known_one(said, optimizer, kept):
    """A switch moves the optimizer, as in recipes; words move what they name; a place alone names the optimizer."""
    found = case(ROW | {"act_ckpt": "full", "micro_batch": 1, "offload": said})
    assert (found.layout.offload == "optimizer", found.host_activations) == (optimizer, kept)


@pytest.mark.parametrize("said", ["banana", 3, ["optimizer"], ""])
def test_words_that_name_nothing_that_can_be_offloaded_are_refused(said):
    """An error with what it takes, never a row that is predicted without."""
    with pytest.raises(InputError, match="offload"):
        case(ROW | {"offload": said})


def test_a_chunked_loss_never_holds_all_logits():
    """`loss: chunked`, or unsaid where whole logits cannot fit; `loss: whole` keeps them."""
    whole, chunked = (
        memory_bytes(case(ROW | {"loss": said, "micro_batch": 4}))["logits"] for said in ("whole", "chunked")
    )
    assert chunked < whole / 2
    long = ROW | {"seq_len": 1048576, "gbs_seqs": 64, "cp": 8, "vocab": 128256, "act_ckpt": "full"}
    assert memory_bytes(case(long))["logits"] < 10 * 2**30


def test_the_number_of_devices_follows_model_and_length():
    """A row without one: what holds the state and ends the run in a month; never more than there are sequences."""
    bare = {"kind": "pretraining_run", "gpus": None, "gpu": "A100-SXM4-80GB", "gbs_seqs": 1024, "framework": None}
    assert case(ROW | bare | {"tokens_trained_b": 2000}).layout.gpus == 512
    assert case(ROW | bare | {"tokens_trained_b": 10}).layout.gpus == 8
    assert case(ROW | bare | {"tokens_trained_b": 2000, "gbs_seqs": 64}).layout.gpus == 64


def test_a_row_without_a_layout_gets_the_fastest_that_fits():
    """Nothing said of a layout on 1,024 devices: no slower than plain ZeRO-3 over all of them."""
    row = {key: value for key, value in ROW.items() if key != "zero_stage"} | {"gpus": 1024, "gbs_seqs": 1024}
    chosen, plain = case(row), case(row | {"zero_stage": 3, "micro_batch": 1})
    assert step(chosen).seconds / chosen.workload.batch <= step(plain).seconds / plain.workload.batch


def test_rings_over_context_ranks_wait_for_the_last():
    """PyTorch's context parallelism of 2024 leaves the last rank with nearly twice its share of attention."""
    ring, even = (
        case(ROW | {"framework": name, "cp": 8, "seq_len": 131072, "gbs_seqs": 8}) for name in ("torchtitan", "NeMo")
    )
    assert (ring.profile.context_balanced, even.profile.context_balanced) == (False, True)
