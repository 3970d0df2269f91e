"""Promises of reading a published run's software: the stack, its date, and the attention kernel of both."""

from __future__ import annotations

import pytest

from trainwright.compiler.backtest.run_software import date, software
from trainwright.tests.compiler.backtest.rows import run


def _row(**said):
    return run({"id": "row", "kind": "benchmark", "framework": "NeMo", "source_date": "2024-09"} | said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"source_date": "2022-10-07"}, "2022-10"),
        ({"source_date": "2024"}, "2024-07"),
        ({"source_date": "2023-06..2024-12"}, "2024-03"),
        ({"source_date": "2023-2025"}, "2024-07"),
        ({"source_date": None, "framework": "NeMo Megatron (2022-10)"}, "2022-10"),
        ({"source_date": None, "source_title": "torchtitan async TP 2025-06"}, "2025-06"),
        ({"source_date": None, "source_title": "PyTorch FSDP (2304.11277)"}, None),
    ],
)
def test_a_date_is_the_middle_of_what_the_source_says(said, expected):
    """Days, months, years and spans; numbers of papers are no years."""
    assert date(_row(**said)) == expected


@pytest.mark.parametrize(
    ("said", "family", "stack", "kernel"),
    [
        ({"source_date": "2022-10"}, "ampere", "megatron-2021", "materialised"),
        ({"source_date": "2024-03"}, "hopper", "megatron-core", "flash2"),
        ({"source_date": "2024-09"}, "hopper", "megatron-core", "flash3"),
        ({"source_date": "2025-02"}, "ampere", "megatron-core", "flash2"),
        ({"framework": "DeepSpeed", "source_date": "2023-03"}, "ampere", "fsdp", "flash1"),
        ({"framework": "DeepSpeed", "source_date": "2024-09"}, "hopper", "fsdp", "flash2"),
        ({"framework": "DeepSpeed", "source_date": "2026-02"}, "hopper", "fsdp", "flash3"),
        ({"framework": "torchtitan", "source_date": "2024-09"}, "blackwell", "fsdp", "flash3"),
        ({"framework": "Megatron-LM", "source_date": "2024-09"}, "hopper", "megatron-lm", "flash2"),
        ({"framework": "Megatron-LM", "source_date": "2021-04"}, "ampere", "megatron-2021", "materialised"),
        (
            {"framework": "Megatron-LM", "source_date": "2023-05", "flash_attn": True},
            "ampere",
            "megatron-flash",
            "flash1",
        ),
        ({"framework": "Megatron-Bridge", "source_date": "2026-01"}, "blackwell", "megatron-core", "flash3"),
        ({"framework": "DeepSpeed", "zero_stage": 2}, "ampere", "sharded-optimizer", "flash2"),
        ({"framework": "HuggingFace Trainer", "zero_stage": 3}, "ampere", "transformers", "flash2"),
    ],
)
def test_stack_and_kernel_follow_date_and_device(said, family, stack, kernel):
    """NeMo of 2022 is Megatron of its time; FlashAttention-3 needs Hopper and a stack that has taken it up."""
    found, _ = software(_row(**said), family)
    assert (found.name, found.attention) == (stack, kernel)


def test_pytorch_runs_pipeline_stages_only_where_it_is_the_framework():
    """Stages under torchtitan are PyTorch's; a row that only says FSDP beside them is another stack's."""
    native, usual = software(_row(framework="torchtitan", pp=4), "hopper")
    other, _ = software(_row(framework="in house", sharding="FSDP", pp=4), "hopper")
    assert (native.native_pipeline, other.native_pipeline) == (True, False)
    assert usual == "selective"
