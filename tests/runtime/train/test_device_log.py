"""The log of each device: how often, what of it, and how much room it takes."""

from __future__ import annotations

import pytest

from trainwright.runtime.train.device_log import MOST, DeviceLog, computes_alone, node_events
from trainwright.spec.device_row import DeviceRow
from trainwright.spec.events import DevicesEvent, StepEvent, from_line, to_line
from trainwright.spec.layout import Layout


def full_row(rank):
    """A row with everything known, of values as long as real ones."""
    return DeviceRow(
        device=f"GPU-{rank:08x}-1234-1234-1234-123456789abc",
        joules=123456.7,
        watts=398.7,
        clock_mhz=1275,
        temperature_celsius=71,
        memory_bytes=76543210987.0,
        power_capped=0.987,
        too_hot=0.0,
        slowed_by_hardware=0.0,
    )


def test_rows_of_two_nodes():
    """Each node's rows get their ranks and own times; ranks whose device nobody reads keep their own time."""
    rows = [full_row(0), full_row(1)]
    said = [(0, "a", 0.25, rows), (1, "a", 0.5, []), (0, "b", 1.0, []), (1, "b", None, [])]
    first, second = node_events(said, step=20, seconds=12.5)
    assert (first.node, first.ranks, first.own_seconds, first.clock_mhz) == ("a", (0, 1), (0.25, 0.5), (1275, 1275))
    assert (second.node, second.ranks, second.own_seconds, second.watts) == ("b", (2, 3), (1.0, None), ())
    found = list(second.rows())
    assert [(row.rank, row.node, row.own_seconds, row.watts) for row in found] == [
        (2, "b", 1, None),
        (3, "b", None, None),
    ]
    assert [from_line(to_line(event)) for event in (first, second)] == [first, second]


def test_size_of_a_thousand_ranks(tiny_plan):
    """1,000 ranks x 500,000 steps take at most 36 MB, a third of the room of the steps themselves."""
    log = DeviceLog(tiny_plan(Layout(), steps=500_000))
    due = sum(log.is_due(0.1, step) for step in range(1, 500_001))
    assert due == MOST
    said = [(rank % 8, "node-0001", 1.234567, [full_row(r) for r in range(8)]) for rank in range(1000)]
    size = due * sum(len(to_line(event)) for event in node_events(said, step=500_000, seconds=1234.5))
    assert size < 36e6
    step = StepEvent(step=500_000, tokens=2 * 10**12, loss=2.123456789012345, grad_norm=0.1234567890123)
    assert size < 500_000 * len(to_line(step)) / 3


@pytest.mark.parametrize(
    ("layout", "alone"),
    [
        (Layout(data=2, zero=2), True),
        (Layout(data=2, zero=3), False),
        (Layout(tensor=2), False),
        (Layout(pipeline=2, accumulation=2), False),
    ],
)
def test_own_time_only_where_it_is_own(tiny_plan, layout, alone):
    """A rank's own time is logged where its forward pass waits for nobody, and is unknown elsewhere."""
    assert computes_alone(layout) is alone
    log = DeviceLog(tiny_plan(layout))
    log.is_due(0.5, 1)
    log.is_due(1.0, 2)
    assert log.take()[1] == (0.75 if alone else None)
    assert (log.steps, log.take()[1]) == (0, None)


def test_training_logs_each_rank(workplace, tiny_plan):
    """A run of two ranks logs both every ten steps and at its end, with their own time before they wait."""
    place = workplace(tiny_plan(Layout(data=2, micro_batch=1, accumulation=2), steps=12))
    assert place.train() == 0, place.output()
    logged = place.events("devices")
    assert [(event["step"], event["ranks"]) for event in logged] == [(10, [0, 1]), (12, [0, 1])]
    steps = place.events("step")
    longest = max(step["seconds"] for step in steps)
    assert all(0 < own <= longest for event in logged for own in event["own_seconds"])
    assert logged[0]["node"]
    assert logged[0]["watts"] == []


def test_hostile_lines():
    """Arrays of any length and values of any type are read as far as they say something."""
    line = (
        b'{"kind":"devices","step":3,"node":7,"ranks":[0,"x",2],"watts":[1],"clock_mhz":[true,1e999,5],"device":"no"}'
    )
    event = from_line(line)
    assert isinstance(event, DevicesEvent)
    rows = list(event.rows())
    assert [(row.rank, row.watts, row.clock_mhz) for row in rows] == [(0, 1, None), (None, None, None), (2, None, 5)]
