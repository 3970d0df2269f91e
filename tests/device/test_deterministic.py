"""`training.deterministic` on GPUs: what torch launches then."""

from __future__ import annotations

from math import ceil

import pytest

from trainwright.spec.hardware import gpu
from trainwright.spec.plan import read_plan
from trainwright.tests.fakes.cuda.fixtures import SPEC

LAYOUTS = {
    "documents": (1, ("data.document_attention=within", "model.kv_heads=2")),
    "zero-3": (2, ("parallel.zero=3",)),
    "tensor-2": (2, ("parallel.tensor=2",)),
}


def backward_grids(run):
    """The blocks of each backward kernel of attention in the first attempt's last step, and the run's layout."""
    attempt = run.train()
    assert set(attempt.codes) == {0}, attempt.outputs[0][-3000:]
    kernels = attempt.traces[0].steps()[-1].of("kernel")
    return [event["grid"] for event in kernels if "flash_bwd_dq_dk_dv" in event["name"]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_attention_adds_up_in_one_order(pretend, name):
    """Every layer's backward kernel gets as many blocks as fill the device, each with its own sum of dQ."""
    gpus, settings = LAYOUTS[name]
    run = pretend("training.deterministic=true", *settings, gpus=gpus)
    grids, layout = backward_grids(run), read_plan(run.bundle).layout
    assert len(grids) == SPEC["model"]["layers"] * layout.accumulation
    sums = {ceil(gpu("A100").sms / (rows * heads)) for _, rows, heads in grids}
    assert {blocks for blocks, _, _ in grids} == sums


def test_without_it_blocks_meet_in_one_sum(pretend):
    """One block for each block of keys, of which these short sequences have one."""
    assert {blocks for blocks, _, _ in backward_grids(pretend())} == {1}
