"""A run resumed in another layout on pretend devices."""

from __future__ import annotations

import pytest

from trainwright.tests.fakes.cuda.fixtures import SPEC

ZERO_1, ZERO_2, TENSOR = "parallel.zero=1", "parallel.zero=2", "parallel.tensor=2"


@pytest.mark.parametrize(("before", "after"), [(ZERO_1, ZERO_2), (ZERO_2, TENSOR)])
def test_a_run_resumes_in_another_layout(pretend, before, after):
    """The optimizer takes the state that comes from the converter: all of it is on the device."""
    run = pretend("cluster.gpus=2", before, "training.on_change=apply", gpus=2)
    assert run.train(STOP_AFTER="2").codes == [75, 75]
    run.compile(SPEC, "cluster.gpus=2", after, "training.on_change=apply")
    attempt = run.train()
    assert attempt.codes == [0, 0], attempt.outputs[0][-3000:]
