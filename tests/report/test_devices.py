"""Each rank's device in status and report, and the ranks that are named."""

from __future__ import annotations

import json

from trainwright.report.accounting.devices import device_rows, outliers
from trainwright.report.accounting.heat_map import COLUMNS, ROWS, heat_map
from trainwright.report.build import build_report
from trainwright.report.live import standing
from trainwright.report.status import run_status
from trainwright.report.tables.devices import MANY, devices_table
from trainwright.report.write import write_report
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


def logged_run(folder, count, entries=3, **odd):
    """A run whose node logged so many ranks so often."""
    log = Log()
    log.start()
    log.steps(1, 30)
    log.stop(30)
    folder = log.write(folder)
    with (folder / "events.jsonl").open("ab") as file:
        for entry in range(1, entries + 1):
            file.write(to_line(devices_event("node3", rows(count, **odd), step=10 * entry, seconds=10.0)))
    return folder


def test_report_has_a_row_a_rank(tmp_path):
    """Of few ranks each has a row, under them the median; unknown columns are left out; notes name the odd one."""
    (run,) = build_report([logged_run(tmp_path / "run", 4, clock_mhz=1110)]).runs
    table = devices_table(run)
    assert [row[0].text for row in table.rows] == ["0", "1", "2", "3"]
    assert table.headings == (
        "Rank",
        "Node",
        "Power (W)",
        "Clock (MHz)",
        "Power-capped",
        "Held by heat",
        "Own time a step",
    )
    assert [row[3].value for row in table.rows] == [1275, 1276, 1277, 1110]
    assert table.totals[0][3].text == "1,276"
    assert table.notes == ("Stands out: rank 3, node3: 1,110 MHz against 1,276, power-capped 90% of the time.",)


def test_report_of_many_ranks_lists_the_odd_ones(tmp_path):
    """Of many ranks only those that stand out have a row, and the note says how many are left out."""
    (run,) = build_report([logged_run(tmp_path / "run", MANY + 1, clock_mhz=1110)]).runs
    table = devices_table(run)
    assert [row[0].text for row in table.rows] == [str(MANY)]
    assert table.notes[-1] == f"{MANY} ranks that do not stand out are left out."
    assert len(run.device_uses) == MANY + 1


def test_report_draws_ranks_over_time(tmp_path):
    """The figure is written and is in the page; a run without such entries has neither figure nor table."""
    report = build_report([logged_run(tmp_path / "run", 4, clock_mhz=1110)])
    names = [path.name for path in write_report(report, tmp_path / "out")]
    assert {"devices.png", "devices.svg"} <= set(names)
    assert 'src="data:image/png;base64,' in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "report.json").read_text())["runs"][0]["heat_map"]["cells"][3] == [1110] * 3
    plain = build_report([logged_run(tmp_path / "plain", 4, entries=0)])
    assert "devices.png" not in [path.name for path in write_report(plain, tmp_path / "none")]
    assert devices_table(plain.runs[0]) is None


def test_heat_map_is_bounded():
    """However many ranks and entries, the grid has a size that can be shown; a slow rank and a slow time stay in it."""
    entries = [
        devices_event(
            "a", [DeviceRow(rank=r, own_seconds=9.0 if r == 777 else 1.0) for r in range(1000)], step=s, seconds=1
        )
        for s in range(1, 302)
    ]
    found = heat_map(entries)
    assert (found.metric, len(found.ranks) <= ROWS, len(found.steps) <= COLUMNS) == ("own_seconds", True, True)
    band = max(index for index, rank in enumerate(found.ranks) if rank <= 777)
    assert set(found.cells[band]) == {9.0}
    assert sum(9.0 in row for row in found.cells) == 1
    assert heat_map([devices_event("a", [DeviceRow(rank=0, watts=3.0)], step=1, seconds=1)]) is None
