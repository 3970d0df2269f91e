"""Promises of what a published run leaves open: it ran, so it fitted."""

from __future__ import annotations

import pytest

from trainwright.compiler.backtest.run_case import case
from trainwright.compiler.backtest.run_fit import fits
from trainwright.compiler.cost.memory import memory_bytes
from trainwright.tests.compiler.backtest.rows import run as published

ROW = {
    "layers": 32, "hidden_size": 4096, "ffn_size": 14336, "mlp_gated": True, "heads": 32, "kv_heads": 8,
    "vocab_size": 128256, "gpu": "H100-SXM5-80GB", "gpus": 8, "gpus_per_node": 8, "kind": "benchmark", "id": "row",
    "sequence_length": 8192, "global_batch": "128 sequences",
}  # fmt: skip


def test_megatron_recipes_say_when_they_recompute():
    """Unsaid, none is assumed, however tight the memory; PyTorch's recipes turn it on by size."""
    tight = {"tensor": 1, "micro_batch": 1, "precision": "fp8", "source_date": "2025-06"}
    megatron = case(published(ROW | tight | {"framework": "Megatron-Bridge"}))
    torch = case(published(ROW | tight | {"framework": "PyTorch FSDP", "micro_batch": 8, "zero": 3}))
    assert megatron.layout.activation_checkpointing == "none"
    assert torch.layout.activation_checkpointing != "none"


@pytest.mark.parametrize("change", [{"pipeline": 4, "gpus": 32}, {"tensor": 1}])
def test_tensor_parallelism_is_not_added_to_a_layout_that_is_said(change):
    """A row that names stages or a tensor degree keeps the tensor degree it has."""
    said = {"framework": "torchtitan", "source_date": "2025-03", "zero": 3, "activation_checkpointing": "selective"}
    assert case(published(ROW | said | change | {"micro_batch": 16})).layout.tensor == 1


def test_whole_logits_give_way_first():
    """A loss in slices before anything that costs time."""
    said = {"framework": "PyTorch FSDP", "source_date": "2024-06", "zero": 3, "micro_batch": 8}
    asked = case(published(ROW | said | {"activation_checkpointing": "full"}))
    assert fits(asked)
    assert asked.profile.memory.slice > 0
    assert memory_bytes(asked)["logits"] < memory_bytes(asked)["activations"]
