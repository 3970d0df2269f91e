"""`training.deterministic` on GPUs: what torch launches then."""

from __future__ import annotations

from math import ceil

import pytest

from trainwright.spec.exit_codes import Exit
from trainwright.spec.hardware import gpu
from trainwright.spec.plan import read_plan
from trainwright.tests.device.conftest import EAGER
from trainwright.tests.device.layouts import GROUPED, WITHIN
from trainwright.tests.fakes.cuda.fixtures import SPEC

DETERMINISTIC = {
    "of-documents": (1, (WITHIN, GROUPED)),
    "with-zero-3": (2, ("parallel.zero=3",)),
    "with-tensor-2": (2, ("parallel.tensor=2",)),
}


def backward_grids(attempt):
    """The blocks of each backward kernel of attention in a step of an attempt."""
    kernels = attempt.traces[0].steps()[0].of("kernel")
    return [event["grid"] for event in kernels if "flash_bwd_dq_dk_dv" in event["name"]]


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_attention_adds_up_in_one_order(pretend, name):
    """Every layer's backward kernel gets as many blocks as fill the device, each with its own sum of dQ."""
    gpus, settings = DETERMINISTIC[name]
    run = pretend("training.deterministic=true", EAGER, *settings, gpus=gpus)
    attempt, layout = run.train(STOP_AFTER="2"), read_plan(run.bundle).layout
    assert set(attempt.codes) == {Exit.PREEMPTED}, attempt.outputs[0][-3000:]
    grids = backward_grids(attempt)
    assert len(grids) == SPEC["model"]["layers"] * layout.accumulation
    sums = {ceil(gpu("A100").sms / (rows * heads)) for _, rows, heads in grids}
    assert {blocks for blocks, _, _ in grids} == sums


@pytest.mark.parametrize("case", ["one-device"], indirect=True)
def test_without_it_blocks_meet_in_one_sum(trained):
    """One block for each block of keys, of which these short sequences have one."""
    assert {blocks for blocks, _, _ in backward_grids(trained.attempts[0])} == {1}
