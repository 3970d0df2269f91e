"""What a step waits for: nothing in its passes, and in its update no more than DeepSpeed's own looks at gradients."""

from __future__ import annotations

import pytest

from trainwright.spec.plan import read_plan

PASSES = {"forward", "backward"}


@pytest.mark.parametrize("case", ["zero-1", "zero-3"], indirect=True)
def test_no_pass_waits_for_the_device(trained):
    """Inputs come from pinned memory; the loss is read when the backward pass is under way, by its own event.

    ZeRO-3 waits for its gathers' stream where DeepSpeed ends the reduction, once a micro batch.
    """
    layout, step = read_plan(trained.bundle).layout, trained.attempts[0].traces[0].steps()[0]
    waits = [event["what"] for phase, event in step.phases() if phase in PASSES and event["op"] == "sync"]
    assert waits == (["event"] if layout.zero == 1 else [*["stream"] * layout.accumulation, "event"])
    assert not any(phase in PASSES and event in step.pageable_copies() for phase, event in step.phases())


@pytest.mark.parametrize("case", ["zero-1"], indirect=True)
def test_inputs_are_copied_from_pinned_memory_while_the_batch_before_computes(trained):
    """All of them (tokens and targets of each micro batch), on a stream that computes nothing."""
    layout, step = read_plan(trained.bundle).layout, trained.attempts[0].traces[0].steps()[0]
    copies = [event for event in step.of("copy", direction="H2D") if event["bytes"] >= 1024]
    assert len(copies) >= 2 * layout.accumulation
    assert all(event["pinned"] for event in copies)
    assert {event["stream"] for event in copies}.isdisjoint(event["stream"] for event in step.of("kernel"))
