"""A project's ledger: every run of a store, the failed and unfinished ones too, in groups that add up."""

from __future__ import annotations

import json
import os

import pytest

from trainwright.commands.history import command
from trainwright.report.accounting.run_folders import owner, run_folders
from trainwright.report.build import build_report
from trainwright.report.formats.csv import tables_csv
from trainwright.report.tables.history import BY, entries, grouped_table, runs_table
from trainwright.spec.problem import InputError
from trainwright.tests.report.folders import PLAN, Log, restarted_run, whole_run

MONTH = 32 * 86400.0


@pytest.fixture
def store(tmp_path):
    """A finished run, one that began again a month later, one that was killed, and one that never started."""
    whole_run(tmp_path / "team" / "finished", last=60)
    log = Log()
    log.start()
    log.steps(1, 40)
    log.clock += MONTH
    log.start(40)
    log.steps(41, 50)
    log.stop(50, "signal", 75)
    log.write(tmp_path / "team" / "deep" / "resumed", plan={**PLAN, "model": {**PLAN["model"], "name": "other"}})
    killed = Log()
    killed.start()
    killed.steps(1, 5)
    killed.write(tmp_path / "killed")
    Log().write(tmp_path / "never")
    (tmp_path / "team" / "finished" / "attempts" / "1").mkdir(parents=True)
    (tmp_path / "team" / "finished" / "attempts" / "1" / "plan.json").write_text(json.dumps(PLAN))
    return tmp_path


def _all(store):
    folders = list(run_folders(store, []))
    return [entry for folder in folders for entry in entries(build_report([folder]).runs[0], owner(folder))]


def test_every_run_folder_is_found_once(store):
    """At any depth, and the plans of attempts are no runs."""
    names = [path.name for path in run_folders(store, [])]
    assert sorted(names) == ["finished", "killed", "never", "resumed"]


def test_groups_add_up_to_what_the_reports_say(store):
    """Energy and carbon of all attempts, by whatever they are grouped, are those of the reports."""
    found = _all(store)
    report = build_report(list(run_folders(store, [])))
    kwh = sum(run.actual.energy_kwh or 0.0 for run in report.runs)
    tonnes = sum(run.actual.counted_tonnes or 0.0 for run in report.runs)
    for table in (*(grouped_table(found, by) for by in BY), runs_table(found)):
        assert table.totals[0][-3].value == pytest.approx(kwh)
        assert table.totals[0][-2].value == pytest.approx(tonnes)


def test_months_persons_models_and_outcomes(store):
    """Two months, one owner, two models, and each way a run can stand."""
    found = _all(store)
    rows = {by: [row[0].text for row in grouped_table(found, by).rows] for by in BY}
    assert rows["month"] == ["2026-09", "2026-10", "unknown"]
    assert rows["person"] == [owner(store)]
    assert rows["model"] == ["other", "tiny"]
    assert rows["outcome"] == ["finished", "never started", "no stop event", "stopped: signal"]
    (late,) = [row for row in grouped_table(found, "month").rows if row[0].text == "2026-10"]
    assert late[2].value == pytest.approx(10 * 4096)


def test_lost_work_counts_and_its_tokens_do_not(tmp_path):
    """A run that was killed and repeated fifty steps: all its energy, and the tokens of a thousand steps."""
    (run,) = build_report([restarted_run(tmp_path / "a")]).runs
    found = entries(run, "ada")
    assert sum(entry.tokens for entry in found) == pytest.approx(run.training.tokens)
    assert sum(entry.energy_kwh for entry in found) == pytest.approx(run.actual.energy_kwh)
    assert tables_csv([runs_table(found)]).splitlines()[0].startswith("Folder,Person,Model,Outcome,Starts,Tokens")


def test_a_place_without_runs_and_a_locked_folder_are_named(store, capsys):
    """Refused where there is nothing; a run that cannot be read is left out by name."""
    with pytest.raises(InputError, match="TW861"):
        command([store / "nowhere"])
    (store / "killed" / "plan.json").unlink()
    (store / "killed" / "events.jsonl").unlink()
    os.mkfifo(store / "killed" / "events.jsonl")
    command([store], only="runs", form="csv")
    assert "killed" not in capsys.readouterr().out
