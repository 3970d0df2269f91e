"""What differs between devices: A100 and H100."""

from __future__ import annotations

import json

import pytest

from trainwright.spec.exit_codes import Exit
from trainwright.tests.fakes.cuda.pretend import A100, H100


@pytest.mark.parametrize("capability", [A100, H100])
def test_flash_attention_of_the_device(pretend, capability):
    """Both devices train with torch's flash kernels, forward and backward."""
    run = pretend(capability=capability)
    attempt = run.train()
    assert attempt.codes == [0], attempt.outputs[0][-3000:]
    step = attempt.traces[0].steps()[-1]
    assert step.kernels("flash_fwd_kernel")
    assert step.kernels("flash_bwd_dq_dk_dv")


def test_ends_where_memory_is_too_small(pretend):
    """A device that is too small for the model ends the run, says what ran out, and keeps what its memory held."""
    run = pretend("model.hidden_size=1024", "model.ffn_size=65536", environment={"PRETEND_MEMORY_GIB": "1"})
    attempt = run.train()
    assert attempt.codes == [Exit.MEMORY]
    assert "out of memory" in attempt.outputs[0]
    assert "parallel.micro_batch" in attempt.outputs[0]
    held = json.loads(run.run.memory_snapshot(0).read_text())
    assert sum(segment["total_size"] for segment in held["segments"]) == held["totals"]["reserved_bytes.all.current"]
