"""The emissions row, attempts, coverage and the difference to the plan."""

from __future__ import annotations

import math

import pytest

from trainwright.report.build import build_report
from trainwright.tests.report.folders import Log, estimate, whole_run


def _report(folder):
    (run,) = build_report([folder]).runs
    return run


def test_row_is_hours_power_energy_and_carbon(whole):
    """Hours are devices x time, energy is the meter's, carbon is energy x PUE x intensity."""
    row = _report(whole).actual
    assert row.device_hours == pytest.approx(2 * 200 / 3600)
    assert row.energy_kwh == pytest.approx(2 * 380 * 200 / 3.6e6)
    assert row.power_watts == pytest.approx(380)
    assert row.carbon_tonnes == pytest.approx(row.energy_kwh * 1.1 * 0.385 / 1000)
    assert row.basis == "measured"


def test_lost_work_counts_in_hours_and_energy(restarted):
    """Steps that a restart repeated are paid for twice, and shown as lost; waiting in between is not counted."""
    run = _report(restarted)
    assert run.actual.device_hours == pytest.approx(2 * (450 + 600) / 3600)
    assert run.actual.energy_kwh == pytest.approx(2 * 380 * 1050 / 3.6e6)
    assert [a.lost_steps for a in run.attempts] == [50, 0]
    assert run.attempts[0].lost_energy_kwh == pytest.approx(2 * 380 * 50 / 3.6e6)


def test_energy_read_from_an_old_checkpoint_is_made_continuous(tmp_path):
    """An attempt that goes on from its checkpoint's smaller reading adds to what was used, it does not replace it."""
    log = Log()
    log.start()
    log.steps(1, 450)
    log.kwh = 2 * 380 * 400 / 3.6e6
    log.start(400)
    log.steps(401, 500)
    run = _report(log.write(tmp_path / "run"))
    assert run.actual.energy_kwh == pytest.approx(2 * 380 * 550 / 3.6e6)


def test_curve_holds_each_step_once_from_the_last_attempt(restarted):
    """The last attempt's record of a step wins."""
    run = _report(restarted)
    assert list(run.curves.step) == list(range(1, 1001))
    assert run.curves.seconds[400] == pytest.approx(451)


def test_steps_beyond_the_last_resume_are_not_in_the_weights(tmp_path):
    """Steps that no later attempt reached again are lost, not part of the curve."""
    log = Log()
    log.start()
    log.steps(1, 450)
    log.start(400)
    log.steps(401, 410)
    assert max(_report(log.write(tmp_path / "run")).curves.step) == 410


def test_gap_lowers_the_coverage_by_its_device_seconds(restarted):
    """60 s of one of two devices without a reading, of 1050 s: 97.1% is measured, and the row says so."""
    run = _report(restarted)
    assert run.measured_share == pytest.approx(1 - 60 / (2 * 1050))
    assert run.actual.basis == "partly measured"


def test_assumed_power_is_called_estimated(tmp_path):
    """Energy without an instrument behind it is never called measured."""
    log = Log()
    log.start(measured=False, meter="assumed")
    log.steps(1, 10)
    assert _report(log.write(tmp_path / "run")).actual.basis == "estimated"


def test_no_reading_is_unknown_and_never_zero(tmp_path):
    """Without a reading energy, power and carbon are unknown, hours are still known."""
    log = Log(kwh=None)
    log.start()
    log.steps(1, 10)
    row = _report(log.write(tmp_path / "run")).actual
    assert (row.energy_kwh, row.power_watts, row.carbon_tonnes, row.basis) == (None, None, None, "unknown")
    assert row.device_hours == pytest.approx(20 / 3600)


def test_frozen_wall_clock_does_not_stop_the_hours(tmp_path):
    """A clock that stands still or jumps back is overruled by the logged spans."""
    log = Log()
    log.start()
    log.steps(1, 100)
    for line in log.lines[50:]:
        line["time"] -= 3600
    assert _report(log.write(tmp_path / "run")).actual.device_hours == pytest.approx(200 / 3600, rel=0.01)


def test_a_clock_that_jumps_back_loses_no_stall(tmp_path):
    """Time that no step logged counts by the clock, also when the clock is set back later."""
    log = Log()
    log.start()
    log.steps(1, 100)
    log.clock += 500
    log.steps(101, 110)
    log.clock -= 3600
    log.steps(111, 120)
    assert _report(log.write(tmp_path / "run")).actual.device_hours == pytest.approx(2 * (500 + 120) / 3600, rel=0.01)


def test_parts_of_the_difference_add_up(restarted):
    """The causes' tonnes sum to actual minus planned, with no remainder."""
    run = _report(restarted)
    assert [c.cause for c in run.changes] == ["time", "power", "PUE", "intensity"]
    assert math.fsum(c.tonnes for c in run.changes) == pytest.approx(
        run.actual.carbon_tonnes - run.planned.carbon_tonnes, rel=1e-9
    )


def test_preparation_is_a_line_of_its_own(tmp_path):
    """Tokenizer and shards count in their own lines, not in the training row; each launch's share counts."""
    log = Log()
    log.prepare(0.004)
    log.start()
    log.steps(1, 100)
    log.prepare(0.001)
    log.start(100)
    log.steps(101, 200)
    run = _report(log.write(tmp_path / "run"))
    assert run.actual.energy_kwh == pytest.approx(2 * 380 * 200 / 3.6e6)
    assert run.actual.device_hours == pytest.approx(2 * 200 / 3600)
    lines = {scope.name: scope.carbon_tonnes for scope in run.scopes}
    assert lines["making the data"] == pytest.approx(0.0025 * 1.1 * 0.385 / 1000)


def test_idle_time_before_the_start_event_is_held_time(tmp_path):
    """Building the engine holds the devices: the startup phase counts in the hours."""
    log = Log()
    log.start()
    log.steps(1, 100)
    log.add("phase", name="startup", seconds=50.0, energy_kwh=0.001, measured=True)
    assert _report(log.write(tmp_path / "run")).actual.device_hours == pytest.approx(2 * 150 / 3600)


def test_a_launch_that_never_started_adds_no_hours(tmp_path):
    """Faults logged under an attempt's number after its end, or after a new preparation, do not stretch it."""
    log = Log()
    log.start()
    log.steps(1, 100)
    log.prepare(0.001)
    log.clock += 3600
    log.add("fault", step=None, rank=0, what="TW711 settings differ", action="exited with INPUT")
    run = _report(log.write(tmp_path / "run"))
    assert run.actual.device_hours == pytest.approx(2 * 100 / 3600)
    assert [fault.what for fault in run.faults] == ["TW711 settings differ"]


def test_hours_are_told_apart_and_add_up(restarted):
    """Steps that count, lost work and the rest add up to the row's hours, beside the plan's share of each."""
    run = _report(restarted)
    parts = {part.part: part for part in run.hours}
    assert parts["steps that count"].actual == pytest.approx(2 * 1000 / 3600)
    assert parts["lost work"].actual == pytest.approx(2 * 50 / 3600)
    assert parts["steps that count"].actual + parts["everything else"].actual == pytest.approx(run.actual.device_hours)
    assert parts["everything else"].actual == pytest.approx(sum(p.actual for p in run.hours if p.of_which))
    assert parts["steps that count"].planned == pytest.approx(1000 * 2 / 3600)


def test_power_curve_is_per_device(whole):
    """The log holds the job's power; the curve shows one device's."""
    assert _report(whole).curves.power_watts[0] == pytest.approx(380, abs=30)


def test_totals_are_sums_of_unrounded_rows(tmp_path):
    """A family's total is the sum of its runs; its power is energy over hours."""
    runs = [whole_run(tmp_path / str(n), last=n, prediction=estimate(0.3, 400)) for n in (37, 111)]
    report = build_report(runs)
    for key in ("device_hours", "energy_kwh", "carbon_tonnes"):
        assert getattr(report.actual_total, key) == math.fsum(getattr(run.actual, key) for run in report.runs)
    assert report.planned_total.device_hours == pytest.approx(0.6)


def test_wider_scopes_follow_the_hours_held(tmp_path):
    """Host and embodied carbon come from the estimate in proportion to device hours; cooling covers the host too."""
    parts = [
        {"name": name, "value": tonnes, "low": tonnes / 2, "high": tonnes * 2, "source": "table"}
        for name, tonnes in (("devices", 9.0), ("cooling and distribution", 0.9), ("host", 2e-5), ("embodied", 1e-5))
    ]
    run = _report(whole_run(tmp_path / "run", last=900, prediction=estimate(0.25, 400, scope_parts=parts)))
    lines = {scope.name: scope for scope in run.scopes}
    assert lines["host"].carbon_tonnes == pytest.approx(4e-5)
    assert (lines["embodied"].low, lines["embodied"].high) == pytest.approx((1e-5, 4e-5))
    assert lines["embodied"].basis == "estimated"
    cooled = lines["devices"].carbon_tonnes + lines["host"].carbon_tonnes
    assert lines["cooling and distribution"].carbon_tonnes == pytest.approx(0.1 * cooled)


@pytest.mark.parametrize("jump", [400 * 86400.0, 3 * 3600.0, -400 * 86400.0])
def test_a_clock_that_was_set_costs_no_device_hours(tmp_path, jump):
    """Between two steps of a second each the clock is set by days, ahead or back: the hours are those of the steps."""
    log = Log()
    log.start()
    log.steps(1, 2)
    log.clock += jump
    log.steps(3, 4)
    log.stop(4)
    report = build_report([log.write(tmp_path / "run")])
    assert sum(attempt.seconds for attempt in report.runs[0].attempts) == pytest.approx(4.0)
