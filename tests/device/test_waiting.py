"""What a step waits for: nothing in its passes, and in its update no more than DeepSpeed's own looks at gradients."""

from __future__ import annotations

import pytest

from trainwright.tests.fakes.cuda.fixtures import SPEC

PASSES = {"forward", "backward"}


@pytest.mark.parametrize("stage", [1, 3])
def test_no_pass_waits_for_the_device(pretend, stage):
    """Inputs come from pinned memory; the loss is read when the backward pass is under way, by its own event.

    ZeRO-3 waits for its gathers' stream where DeepSpeed ends the reduction.
    """
    run = pretend(f"parallel.zero={stage}", "parallel.micro_batch=4", gpus=2)
    step = run.train().traces[0].steps()[0]
    waits = [event["what"] for phase, event in step.phases() if phase in PASSES and event["op"] == "sync"]
    assert waits == (["event"] if stage == 1 else ["stream", "stream", "event"])
    assert not any(phase in PASSES and event in step.pageable_copies() for phase, event in step.phases())


def test_inputs_are_copied_from_pinned_memory_while_the_batch_before_computes(pretend):
    """All of them, on a stream that computes nothing."""
    run = pretend("parallel.micro_batch=4", gpus=1)
    step = run.train().traces[0].steps()[0]
    copies = [event for event in step.of("copy", direction="H2D") if event["bytes"] >= 1024]
    assert len(copies) >= 4
    assert all(event["pinned"] for event in copies)
    assert {event["stream"] for event in copies}.isdisjoint(event["stream"] for event in step.of("kernel"))


@pytest.mark.parametrize("capability", ["80", "90"])
def test_documents_have_flash_attention_whatever_the_heads(pretend, capability):
    """With grouped queries a mask would be computed, and kept, for every score."""
    run = pretend(
        "data.document_attention=within", "model.kv_heads=2", "parallel.micro_batch=16", capability=capability
    )
    attempt = run.train()
    assert attempt.codes == [0]
    assert len(attempt.traces[0].steps()[0].kernels("flash_fwd")) == SPEC["model"]["layers"]
