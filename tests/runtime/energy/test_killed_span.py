"""The gap of a killed attempt."""

from __future__ import annotations

import pytest

from trainwright.runtime.energy.killed_span import killed_span
from trainwright.spec.events import CheckpointEvent, PhaseEvent, StartEvent, StepEvent, StopEvent

START = StartEvent(time=100.0)
STEP = StepEvent(time=110.0, seconds=2.5)
STOP = StopEvent(time=120.0)
PREPARED = PhaseEvent(name="data", time=900.0)


@pytest.mark.parametrize(
    "events", [[], [START], [START, STEP, STOP], [START, STEP, STOP, PREPARED], [START, STEP, START]]
)
def test_nothing_to_tell(events):
    """No gap for a new run, for one that ended in order, or for one that never took a step."""
    assert killed_span(events) is None


def test_killed():
    """A killed run leaves a gap of all devices, dated after its last event."""
    gap = killed_span([START, STEP, CheckpointEvent(time=111.0), PREPARED])
    assert (gap.device, gap.start, gap.end) == ("all", 111.0, 113.5)
    assert "killed" in gap.reason
