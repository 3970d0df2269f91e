"""Promises of software profiles: what they hold for, and that no prediction beats the best published one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainwright.compiler.cost.case import Hardware, StepCase, Workload
from trainwright.compiler.cost.stack import extrapolated, profile, profile_names
from trainwright.compiler.cost.step import step
from trainwright.spec.facts import facts, figures
from trainwright.spec.hardware import gpu
from trainwright.spec.layout import Layout
from trainwright.spec.shape import ModelShape
from trainwright.spec.step_parts import StepPart

SHAPE = ModelShape(layers=32, hidden_size=4096, ffn_size=11008, heads=32, kv_heads=32, vocab_size=32000)


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_says_where_it_holds(name):
    """Known families, and dates in order."""
    found = profile(name)
    assert set(found.families) <= {row["family"] for row in facts("gpus")["devices"].values()}
    assert found.dates[0] <= found.dates[1]


def test_elsewhere_a_profile_is_extrapolated():
    """Another device family or a later year is said; what was compared is not."""
    found = profile("megatron-core", "ampere")
    assert "ampere" in extrapolated(found, "ampere")
    assert "2023-01" in extrapolated(found, "hopper", "2023-01")
    assert extrapolated(found, "hopper", "2025-01") == ""


def test_no_step_beats_the_best_published():
    """A stack without any loss reaches the published best of the device, causal attention counted, and no more."""
    device = gpu("A100-SXM4-80GB")
    perfect = replace(profile("llmc"), matmul=3.0)
    case = StepCase(Workload(SHAPE, 4096, 64), Layout(data=8, micro_batch=8), Hardware(device, 8, 0, "none"), perfect)
    found = step(case)
    mfu = case.workload.tokens / found.seconds / 8 * SHAPE.training_flops(4096, causal=True) / device.flops["bf16"]
    assert found.parts[StepPart.PUBLISHED_LIMIT] > 0
    assert mfu == pytest.approx(figures("accuracy")["best_mfu"]["ampere"]["bf16"])
