"""Whether a run kept the limits of its spec."""

from __future__ import annotations

import pytest

from trainwright.report.build import build_report
from trainwright.report.summary import report_document
from trainwright.tests.report.folders import Log, estimate

MOST = {"days": 1.0, "carbon": 1e-3, "energy": 0.01, "cost": 10.0, "memory": 1e12, "site_power": 700.0}


def _run(folder, most=MOST, *, measured=True, price=True):
    """A run of 200 s on two devices at 380 W each, under limits."""
    log = Log(kwh=0.0 if measured else None)
    log.start(measured=measured)
    log.steps(1, 200)
    log.stop(200)
    limits = [{"name": name, "most": value, "found": None, "verdict": "unknown"} for name, value in most.items()]
    money = {"cost": {"value": 40.0, "low": 20.0, "high": 80.0}} if price else {}
    (run,) = build_report([log.write(folder, prediction=estimate(20.0, 380.0, limits=limits, **money))]).runs
    return run


def test_each_limit_is_compared_with_what_was_taken(tmp_path):
    """Days held, carbon of all scopes, energy, hours at the estimate's price, and the highest draw of all devices."""
    run = _run(tmp_path)
    kwh = 2 * 380 * 200 / 3.6e6
    taken = {limit.name: limit.found.value for limit in run.limits if limit.found}
    assert taken["days"] == pytest.approx(200 / 86400)
    assert taken["energy"] == pytest.approx(kwh)
    assert taken["carbon"] == pytest.approx(kwh * 1.1 * 0.385 / 1000)
    assert taken["cost"] == pytest.approx(2 * 200 / 3600 * 2.0)
    assert 760 <= taken["site_power"] < 800  # the highest step of a noisy log
    verdicts = {limit.name: limit.verdict for limit in run.limits}
    assert verdicts["site_power"] == verdicts["energy"] == "broken"
    assert verdicts["days"] == verdicts["carbon"] == verdicts["cost"] == "kept"


def test_what_nobody_measured_is_unknown(tmp_path):
    """Without a meter and a price neither kept nor broken."""
    run = _run(tmp_path, measured=False, price=False)
    verdicts = {limit.name: limit.verdict for limit in run.limits}
    assert verdicts["energy"] == verdicts["carbon"] == verdicts["cost"] == "unknown"
    assert verdicts["days"] == "kept"


def test_the_report_has_a_table_of_them(tmp_path):
    """Beside the run's other tables, and none where the spec sets none."""
    from trainwright.report.tables.run import run_tables

    titles = [table.key for table in run_tables(_run(tmp_path / "with"))]
    assert "limits" in titles
    assert "limits" not in [table.key for table in run_tables(_run(tmp_path / "without", {}))]


def test_a_limit_that_a_stranger_wrote_stops_no_report(tmp_path):
    """An estimate with an unknown limit, or a wrong type in it, is missing as a whole and said to be."""
    (run,) = build_report(
        [Log().write(tmp_path, prediction=estimate(1.0, 380.0, limits=[{"name": "\x1b[2Jdays", "most": "much"}]))]
    ).runs
    assert run.limits == ()
    assert any("estimate" in note for note in run.missing)
    assert report_document(build_report([tmp_path]))
