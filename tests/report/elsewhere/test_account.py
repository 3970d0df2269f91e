"""Training that others have metered: each format gives the same kWh, nothing counts twice, gaps are gaps."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.report.build import build_report
from trainwright.report.elsewhere.account import Factors, accounted, usage_of_run
from trainwright.report.elsewhere.read import read_usages
from trainwright.report.elsewhere.receipt import account_receipt
from trainwright.report.elsewhere.settle import settle
from trainwright.report.elsewhere.table import account_table
from trainwright.report.formats.csv import codecarbon_csv
from trainwright.report.receipt.against_runs import compare_with_runs
from trainwright.report.receipt.read import parse_receipt
from trainwright.report.receipt.values import receipt_text
from trainwright.report.receipt.verify import check_receipt
from trainwright.spec.problem import InputError
from trainwright.tests.report.elsewhere.samples import (
    BY_HAND,
    FILES,
    HOURS,
    KWH,
    SACCT,
    ZEUS,
    nvidia_smi,
    write,
)
from trainwright.tests.report.folders import whole_run

FACTORS = Factors(pue=1.1, intensity=0.385, source="given")


def _settled(*paths):
    return settle([usage for path in paths for usage in read_usages(path, UTC)])


@pytest.mark.parametrize("name", FILES)
def test_each_tool_gives_the_same_hours_and_energy(tmp_path, name):
    """Two GPUs at 300 W for six minutes, by CodeCarbon, Zeus (CSV and JSON), nvidia-smi, DCGM and W&B."""
    (usage,) = _settled(write(tmp_path, name, FILES[name])).usages
    assert (usage.energy_kwh, usage.device_hours) == (pytest.approx(KWH), pytest.approx(HOURS))
    assert (usage.devices, usage.coverage, usage.basis) == (2, 1.0, "measured")


def test_slurm_counts_failed_jobs_and_no_step_twice(tmp_path):
    """Steps of one time read the same nodes: the largest counts. Without energy there are hours, with --power kWh."""
    first, second = _settled(write(tmp_path, "jobs.txt", SACCT)).usages
    assert (first.energy_kwh, first.device_hours) == (pytest.approx(216000 / 3.6e6), pytest.approx(HOURS))
    assert (second.energy_kwh, second.device_hours, second.basis) == (None, 0.5, "unknown")
    (row,) = accounted([second], Factors(watts=400.0))
    assert (row.usage.energy_kwh, row.usage.basis, row.carbon_tonnes) == (0.2, "estimated", None)


def test_hours_by_hand_give_the_row_of_the_paper(tmp_path):
    """184,320 hours at 400 W are 31.22 t."""
    settled = _settled(write(tmp_path, "hours.csv", BY_HAND))
    (row,) = accounted(settled.usages, FACTORS)
    assert row.carbon_tonnes == pytest.approx(31.2238, abs=1e-4)


def test_a_gap_is_not_averaged_away(tmp_path):
    """A minute without samples takes a sixth of the coverage and of the energy, and stays in the hours."""
    (usage,) = _settled(write(tmp_path, "log.csv", nvidia_smi(skip=range(65, 126)))).usages
    assert usage.basis == "partly measured"
    assert usage.coverage == pytest.approx(290 / 360)
    assert usage.energy_kwh == pytest.approx(KWH * 290 / 360)
    assert usage.device_hours == pytest.approx(HOURS)


def test_the_same_gpus_by_two_tools_count_once(tmp_path):
    """nvidia-smi and DCGM of the same UUIDs and time: one counts, the other is named."""
    settled = _settled(*(write(tmp_path, name, FILES[name]) for name in ("nvidia-smi.csv", "dcgm.json")))
    assert sum(usage.energy_kwh for usage in settled.usages) == pytest.approx(KWH)
    assert any("counted once" in note for note in settled.left_out)


def test_a_copy_of_a_file_counts_once(tmp_path):
    """The same job of two exports is one."""
    settled = _settled(write(tmp_path, "a.txt", SACCT), write(tmp_path, "b.txt", SACCT))
    assert len(settled.usages) == 2
    assert len(settled.left_out) == 2


def test_our_own_emissions_file_beside_its_run_counts_once(tmp_path):
    """`report` writes CodeCarbon's columns: the same run, known by its name and time."""
    report = build_report([whole_run(tmp_path / "a", last=60), whole_run(tmp_path / "b", last=30)])
    theirs = read_usages(write(tmp_path, "emissions.csv", codecarbon_csv(report)), UTC)
    settled = settle([*map(usage_of_run, report.runs), *theirs])
    assert [usage.name for usage in settled.usages] == ["tiny (a)", "tiny (b)"]
    assert len(settled.left_out) == 2


def test_windows_that_overlap_in_part_are_refused(tmp_path):
    """Nobody knows whose the shared joules are."""
    path = write(tmp_path, "zeus.csv", ZEUS + "1790000300,odd,100,30000,30000\n")
    with pytest.raises(InputError, match="TW893"):
        _settled(path)


BAD = {
    "mixed units": ("a.csv", nvidia_smi().replace("300.00 W", "0.3 kW", 1), "TW891"),
    "a unit of its own": ("a.csv", nvidia_smi().replace("[W]", "[mW]"), "TW891"),
    "clock": ("a.csv", nvidia_smi().replace("14:16:00", "13:00:00"), "TW892"),
    "two values of a moment": ("a.csv", nvidia_smi() + "2026/09/21 14:19:20.000, GPU-b, NVIDIA A100, 9 W\n", "TW892"),
    "a short row": ("a.csv", nvidia_smi() + "2026/09/21 14:19:30.000, GPU-b\n", "TW891"),
    "negative": ("a.csv", BY_HAND.replace("184320", "-1"), "TW891"),
    "a heading twice": ("a.csv", BY_HAND.replace("device\n", "watts\n"), "TW891"),
    "infinite": ("a.csv", BY_HAND.replace("400", "1e999"), "TW891"),
    "an instant query": ("a.json", FILES["dcgm.json"].replace("matrix", "vector"), "TW891"),
    "no tool's": ("a.csv", "a,b\n1,2\n", "TW890"),
    "no text": ("a.csv", "\x00", "TW890"),
    "half of a JSON": ("a.json", FILES["dcgm.json"][:100], "TW890"),
    "no energy of sacct": ("a.txt", SACCT.replace("EnergyRaw", "Energy").replace("216000", "21 J"), "TW891"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_counted_is_refused_by_name(tmp_path, name):
    """One of the codes, and the file in the message or at the place."""
    file, content, code = BAD[name]
    with pytest.raises(InputError) as caught:
        _settled(write(tmp_path, file, content))
    (problem, *_) = caught.value.problems
    assert problem.code == code
    assert file in (problem.place.file if problem.place else problem.message)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_any_damage_is_read_or_refused(tmp_path_factory, name, data):
    """A file with a piece cut out or doubled gives finite numbers, or a problem: nothing else."""
    content = FILES[name]
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, min(len(content), begin + 60)))
    changed = content[:begin] + content[begin:end] * data.draw(st.sampled_from((0, 2))) + content[end:]
    path = write(tmp_path_factory.mktemp("damaged"), name, changed)
    try:
        rows = accounted(_settled(path).usages, FACTORS)
    except InputError:
        return
    assert all(row.carbon_tonnes is None or 0 <= row.carbon_tonnes < float("inf") for row in rows)


def test_the_table_has_a_total_and_the_receipt_holds(tmp_path):
    """Hosts count beside devices; every number of the receipt follows from its inputs."""
    paths = [write(tmp_path, name, FILES[name]) for name in ("codecarbon.csv", "zeus.csv")]
    settled = _settled(*paths)
    rows = accounted(settled.usages, FACTORS)
    table = account_table(rows, settled.left_out)
    assert [cell.text for cell in table.totals[0][:1]] == ["Total"]
    assert rows[0].counted_tonnes > rows[0].carbon_tonnes
    receipt = account_receipt(rows, paths, settled.left_out)
    again = parse_receipt(receipt_text(receipt).encode(), Path("r.json"))
    assert check_receipt(again) == []
    values = {number.name: number.value for number in again.numbers}
    assert values["total.actual.counted_tonnes"] == table.totals[0][-1].value
    assert compare_with_runs(again, paths) == []
    paths[1].write_text(ZEUS.replace("108000", "108001"))
    assert [finding.where for finding in compare_with_runs(again, paths)] == [str(paths[1])]
    assert json.loads(receipt_text(receipt))["runs"][0]["files"][0]["path"].endswith("codecarbon.csv")
