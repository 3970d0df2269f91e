"""`watch`: where a run stands, from a log that grows."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from trainwright.report.live import sparkline, watch
from trainwright.spec.events import StepEvent
from trainwright.spec.run_progress import EventFollower, Progress
from trainwright.tests.report.folders import PLAN, Log


def _shown(folder, running=False):
    out = io.StringIO()
    watch(folder, Console(file=out, width=100), running)
    return out.getvalue()


def test_follower_reads_only_what_is_new_and_waits_for_torn_lines(tmp_path):
    """Each event once; a line without its end is read when it is whole; a torn one that was closed is left out."""
    log = tmp_path / "events.jsonl"
    follower = EventFollower(log)
    assert list(follower.new_events()) == []
    log.write_text('{"kind": "start"}\n{"kind": "st')
    assert [event.kind for event in follower.new_events()] == ["start"]
    assert list(follower.new_events()) == []
    with log.open("a") as out:
        out.write('ep", "step": 1}\n{"ki\n{"kind": "stop"}\n')
    assert [event.kind for event in follower.new_events()] == ["step", "stop"]


def test_time_left_is_the_recent_pace_times_the_steps_left():
    """After a slow start the estimate follows the last 50 steps."""
    progress = Progress()
    for step in range(1, 101):
        progress.update(StepEvent(step=step, seconds=9.0 if step <= 50 else 2.0))
    assert progress.seconds_left(200) == pytest.approx(200.0)
    assert progress.seconds_left(None) is None


def test_without_a_terminal_one_snapshot_is_printed(restarted):
    """A finished run shows its end, its energy and carbon, and how they were known."""
    shown = _shown(restarted)
    for words in ("tiny: finished", "step        1,000 of 1,000", "measured (nvml)", "gCO2eq so far", "attempt     2"):
        assert words in shown


def test_budget_left_is_shown(tmp_path):
    """The carbon budget's rest, and its share used."""
    log = Log()
    log.start()
    log.steps(1, 100)
    plan = json.loads(json.dumps(PLAN))
    plan["carbon"]["budget_tonnes"] = 2 * 380 * 100 / 3.6e6 * 1.1 * 0.385 / 1000 * 4
    assert "(25% used)" in _shown(log.write(tmp_path / "run", plan=plan))


def test_unknown_energy_is_not_zero(tmp_path):
    """No reading: energy and carbon print unknown."""
    log = Log(kwh=None)
    log.start()
    log.steps(1, 3)
    shown = _shown(log.write(tmp_path / "run"))
    assert "energy      unknown" in shown
    assert "carbon      unknown" in shown


def test_a_run_in_preparation_says_so_and_nothing_that_cannot_be_known(tmp_path):
    """Before the first event a running launch prepares, any other folder has not started; no row is unknown."""
    run = Log().write(tmp_path / "run")
    assert "tiny: preparing" in (shown := _shown(run, running=True))
    assert "tiny: not started" in _shown(run)
    assert "step  0 of 1,000" in shown
    assert not any(word in shown for word in ("unknown", "attempt", "energy"))


def test_sparkline_scales_from_smallest_to_largest():
    """Means of equal spans, first block for the smallest, last for the largest; flat is flat."""
    assert sparkline([8, 8, 1, 1], 2) == "█▁"
    assert sparkline([3.0, 3.0], 2) == "▁▁"
