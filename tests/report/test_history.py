"""Run folders that are torn, incomplete, from another version, or no run folders at all."""

from __future__ import annotations

import json

import pytest

from trainwright.report.build import build_report
from trainwright.report.summary import report_document
from trainwright.report.write import write_report
from trainwright.spec.problem import InputError
from trainwright.tests.report.folders import PLAN, Log, restarted_run, whole_run


def _report(folder):
    (run,) = build_report([folder]).runs
    return run


def test_a_folder_without_a_run_is_refused(tmp_path):
    """Neither plan nor log: an input error with a code, not an empty report."""
    with pytest.raises(InputError, match="TW861"):
        build_report([tmp_path])


@pytest.mark.parametrize("name", ["plan.json", "estimate.json", "events.jsonl"])
def test_each_missing_file_is_named(whole, name):
    """A report of what is there, which says what is not."""
    (whole / name).unlink()
    assert any(name in note for note in _report(whole).missing)


@pytest.mark.parametrize("name", ["plan.json", "estimate.json"])
def test_an_integer_that_no_float_holds_is_named(whole, name):
    """A file with such a number says nothing; everything else is reported, and printed."""
    content = json.loads((whole / name).read_text())
    (whole / name).write_text(json.dumps(content | {"devices": 10**400, "parameters": -(10**400)}))
    report = build_report([whole])
    assert f"{name} cannot be read (an integer of 401 digits)" in report.runs[0].missing[0]
    assert report_document(report).tables


def test_without_factors_the_carbon_is_unknown_but_energy_is_not(whole):
    """No plan: no PUE, no intensity, so no carbon; energy and hours stay."""
    (whole / "plan.json").unlink()
    row = _report(whole).actual
    assert row.carbon_tonnes is None
    assert row.energy_kwh is not None


def test_sections_of_another_version_are_left_out_by_name(tmp_path):
    """A plan with one strange section still gives the others."""
    run = _report(whole_run(tmp_path / "run", last=5, plan={**PLAN, "schedule": {"rounds": 3}}))
    assert any("section schedule" in note for note in run.missing)
    assert run.actual.carbon_tonnes is not None


def test_events_of_unknown_kind_are_counted(tmp_path):
    """A newer version's events are left out, and it is said how many."""
    log = Log()
    log.start()
    log.add("hologram", step=1)
    log.steps(1, 3)
    assert any("1 events of unknown kind 'hologram'" in note for note in _report(log.write(tmp_path / "r")).missing)


def test_torn_lines_are_counted_and_the_rest_is_read(whole):
    """Half a line in the middle and one at the end are left out, and it is said how many; nothing else is lost."""
    lines = (whole / "events.jsonl").read_text().splitlines()
    torn = [*lines[:50], lines[50][:17], *lines[50:], lines[-1][:9]]
    before = _report(whole)
    (whole / "events.jsonl").write_text("\n".join(torn))
    after = _report(whole)
    assert after.missing == (f"events.jsonl: 2 of {len(torn)} lines torn or not events: left out",)
    assert (after.actual, after.curves) == (before.actual, before.curves)


def test_a_run_that_never_stepped_has_a_report(tmp_path):
    """No step: the files are written, without plots, and the report says so."""
    log = Log()
    log.start()
    report = build_report([log.write(tmp_path / "run")])
    written = {path.name for path in write_report(report, tmp_path / "out")}
    assert "report.html" in written
    assert "loss.png" not in written
    assert any("never finished a step" in note for note in report.runs[0].missing)


def test_strange_values_are_unknown(tmp_path):
    """Texts, booleans, NaN and nulls where numbers belong do not stop the report and are not taken for numbers."""
    log = Log()
    log.start()
    log.steps(1, 4)
    for event, value in zip(log.lines[1:], ("x", True, float("nan"), None), strict=False):
        event["loss"] = value
    assert _report(log.write(tmp_path / "run")).curves.loss == (None,) * 4


def test_two_runs_of_one_name_are_told_apart(tmp_path):
    """Labels carry the folder when names clash."""
    folders = [whole_run(tmp_path / name, last=5) for name in ("a", "b")]
    assert [run.label for run in build_report(folders).runs] == ["tiny (a)", "tiny (b)"]


def test_a_log_cut_anywhere_reports_and_totals_never_rise(tmp_path):
    """R15: cut the log at every byte of its last 4 KB: a report always builds, and no total grows by losing text."""
    folder = restarted_run(tmp_path / "run")
    whole = (folder / "events.jsonl").read_bytes()
    tail = 4096
    kept_lines = whole[: len(whole) - 3 * tail].splitlines(keepends=True)[:4]  # a short head keeps 4,096 reports quick
    log = b"".join(kept_lines) + whole[whole.rfind(b"\n", 0, len(whole) - tail) + 1 :]
    previous = None
    for cut in range(len(log) - tail, len(log) + 1):
        (folder / "events.jsonl").write_bytes(log[:cut])
        row = _report(folder).actual
        totals = (row.device_hours or 0, row.energy_kwh or 0, row.carbon_tonnes or 0)
        assert previous is None or all(a >= b for a, b in zip(totals, previous, strict=True)), cut
        previous = totals


def test_report_json_follows_the_published_schema(restarted):
    """report.json validates against the checked-in schema, which is the one the code generates."""
    from pathlib import Path

    import jsonschema

    import trainwright
    from trainwright.report.values import report_schema

    published = (Path(trainwright.__file__).parent / "spec" / "report_schema.json").read_text()
    assert published == report_schema(), "stale: trainwright report --schema > spec/report_schema.json"
    jsonschema.validate(json.loads(build_report([restarted]).model_dump_json()), json.loads(published))
