"""A profile beside the estimate."""

from __future__ import annotations

from trainwright.report.tables.profile import TRACED, profile_table
from trainwright.spec.estimate import Part
from trainwright.spec.events import ProfileEvent
from trainwright.spec.step_parts import StepPart

FOUND = ProfileEvent(
    step=9, seconds=2.0, steps=3, ranks=(0, 4), compute_seconds=(1.5, 1.0), communication_seconds=(0.3, 0.5),
    optimizer_seconds=(0.1, 0.2), waiting_seconds=(0.1, None),
)  # fmt: skip


def test_every_part_of_the_estimate_is_in_one_row():
    """No predicted second is lost or counted twice."""
    assert sorted(part for parts in TRACED.values() for part in parts) == sorted(StepPart)


def test_predicted_and_traced_seconds_stand_side_by_side():
    """A column a rank; what is not known says so."""
    parts = [Part(name=StepPart.COMPUTE, value=1.25), Part(name=StepPart.RECOMPUTATION, value=0.25)]
    rows = [[cell.text for cell in row] for row in profile_table(FOUND, parts).rows]
    assert rows == [
        ["Compute", "1.5", "1.5", "1"],
        ["Communication", "0", "0.3", "0.5"],
        ["Optimizer", "0", "0.1", "0.2"],
        ["Waiting", "0", "0.1", "unknown"],
        ["Whole step", "1.5", "2", "2"],
    ]
    assert [row[1].text for row in profile_table(FOUND, ()).rows] == ["unknown"] * 5
