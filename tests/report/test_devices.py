"""Each rank's device in status and report, and the ranks that are named."""

from __future__ import annotations

from trainwright.report.accounting.devices import device_rows, outliers
from trainwright.report.live import standing
from trainwright.report.status import run_status
from trainwright.spec.device_row import DeviceRow
from trainwright.spec.events import devices_event, from_line, to_line
from trainwright.tests.report.folders import Log


def rows(count=8, **odd):
    """Rows of a node's ranks that are much alike, but for the last."""
    alike = {"own_seconds": 1.0, "watts": 390.0, "clock_mhz": 1275.0, "power_capped": 0.9, "too_hot": 0.0}
    found = [{**alike, "clock_mhz": 1275.0 + rank % 3} for rank in range(count - 1)] + [{**alike, **odd}]
    return [DeviceRow(rank=rank, node="node3", **row) for rank, row in enumerate(found)]


def named(found):
    """The outliers as lines."""
    return [str(outlier) for outlier in outliers(found)]


def test_a_slow_rank_is_named():
    """A rank with a low clock is named with its node, both clocks, and what holds it down."""
    assert named(rows(clock_mhz=1110, power_capped=1.0)) == [
        "rank 7, node3: 1,110 MHz against 1,276, power-capped 100% of the time"
    ]
    assert named(rows(own_seconds=1.4, clock_mhz=1275)) == [
        "rank 7, node3: 1.40 s of its own a step against 1.00 s, power-capped 90% of the time"
    ]


def test_heat_is_named_at_any_clock():
    """A device that heat or the board holds down is named, also when it is the only one."""
    assert named(rows(too_hot=0.2)) == ["rank 7, node3: held down by heat 20% of the time"]
    alone = [DeviceRow(rank=0, node="a", clock_mhz=900, slowed_by_hardware=1.0)]
    assert named(alone) == ["rank 0, a: held down by hardware 100% of the time"]


def test_what_is_alike_is_not_named():
    """Ranks that are alike, scatter all over, are two, or say nothing: none stands out."""
    assert named(rows()) == []
    assert named([DeviceRow(rank=r, node="a", own_seconds=1 + r % 5 / 5) for r in range(20)]) == []
    assert named([DeviceRow(rank=0, clock_mhz=900), DeviceRow(rank=1, clock_mhz=1400)]) == []
    assert named([DeviceRow(rank=r) for r in range(8)]) == []


def test_rows_add_up_over_a_run():
    """Means are weighted by time, the highest temperature stays, joules add up, and nodes are told apart."""

    def entry(node, seconds, **values):
        row = DeviceRow(rank=0, **values)
        return from_line(to_line(devices_event(node, [row], step=10, seconds=seconds)))

    first, moved = device_rows(
        [
            entry("a", 30.0, clock_mhz=1200, temperature_celsius=70, joules=9000),
            entry("a", 10.0, clock_mhz=1000, temperature_celsius=60, joules=3000),
            entry("a", 10.0),
            entry("b", 10.0, clock_mhz=900),
        ]
    )
    assert (first.node, first.clock_mhz, first.temperature_celsius, first.joules) == ("a", 1150, 70, 12000)
    assert (moved.node, moved.clock_mhz, moved.joules) == ("b", 900, None)


def test_status_names_them(tmp_path):
    """The status of a run names the ranks that stand out in its newest entry, and none after another start."""
    log = Log()
    log.start()
    log.steps(1, 10)
    folder = log.write(tmp_path / "run")
    with (folder / "events.jsonl").open("ab") as file:
        file.write(to_line(devices_event("node3", rows(clock_mhz=1110), step=10, seconds=9.0)))
    history, progress = standing(folder, running=False)
    (line,) = run_status(folder, None, history, progress).stand_out
    assert line == "rank 7, node3: 1,110 MHz against 1,276, power-capped 90% of the time"
    log.start(10)
    log.write(tmp_path / "again")
    history, progress = standing(tmp_path / "again", running=False)
    assert run_status(folder, None, history, progress).stand_out == ()
