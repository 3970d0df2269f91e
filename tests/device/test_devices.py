"""What differs between devices: A100 (the layouts' runs) and H100."""

from __future__ import annotations

import json

from trainwright.spec.exit_codes import Exit
from trainwright.tests.device.conftest import EAGER
from trainwright.tests.device.layouts import GROUPED, WITHIN
from trainwright.tests.fakes.cuda.fixtures import SPEC
from trainwright.tests.fakes.cuda.pretend import H100


def test_an_h100_has_flash_attention(pretend):
    """It trains with torch's flash kernels, forward and backward, and compiles the same functions."""
    attempt = pretend("parallel.zero=3", gpus=2, capability=H100).train(STOP_AFTER="2")
    assert attempt.codes == [Exit.PREEMPTED] * 2, attempt.outputs[0][-3000:]
    assert [len(trace.of("mark", name="graph")) for trace in attempt.traces] == [2, 2]
    step = attempt.traces[0].steps()[-1]
    assert step.kernels("flash_fwd_kernel")
    assert step.kernels("flash_bwd_dq_dk_dv")


def test_an_h100_has_flash_attention_for_documents(pretend):
    """With grouped queries a mask would be computed, and kept, for every score."""
    attempt = pretend(WITHIN, GROUPED, EAGER, capability=H100).train(STOP_AFTER="2")
    assert attempt.codes == [Exit.PREEMPTED]
    assert len(attempt.traces[0].steps()[0].kernels("flash_fwd")) == SPEC["model"]["layers"]


def test_ends_where_memory_is_too_small(pretend):
    """A device that is too small for the model ends the run, says what ran out, and keeps what its memory held."""
    run = pretend("model.hidden_size=1024", "model.ffn_size=65536", environment={"PRETEND_MEMORY_GIB": "1"})
    attempt = run.train()
    assert attempt.codes == [Exit.MEMORY]
    assert "out of memory" in attempt.outputs[0]
    assert "parallel.micro_batch" in attempt.outputs[0]
    held = json.loads(run.run.memory_snapshot(0).read_text())
    assert sum(segment["total_size"] for segment in held["segments"]) == held["totals"]["reserved_bytes.all.current"]
