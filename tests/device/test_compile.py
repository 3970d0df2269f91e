"""`training.compile` on GPUs: what Dynamo makes graphs of in every ZeRO stage."""

from __future__ import annotations

import pytest

from trainwright.tests.fakes.cuda.pretend import H100

# Training and validation, which needs no gradients: two graphs each of the rotation and of SwiGLU's product.
FUNCTIONS = 4


@pytest.mark.parametrize("capability", ["80", H100])
def test_zero_3_compiles_each_function_once(pretend, capability):
    """One graph a function and pass, whatever the layers: no break, no second try, and the step trains on."""
    run = pretend("training.compile=true", "parallel.zero=3", gpus=2, capability=capability)
    attempt = run.train()
    assert attempt.codes == [0, 0], attempt.outputs[0][-3000:]
    assert [len(trace.of("mark", name="graph")) for trace in attempt.traces] == [FUNCTIONS, FUNCTIONS]


@pytest.mark.parametrize("stage", [1, 2])
def test_other_stages_compile_whole_layers(pretend, stage):
    """Weights are there all the time."""
    run = pretend("training.compile=true", f"parallel.zero={stage}", gpus=2)
    attempt = run.train()
    assert attempt.codes == [0, 0], attempt.outputs[0][-3000:]
    assert attempt.traces[0].steps()[-1].kernels("flash_bwd_dq_dk_dv")
