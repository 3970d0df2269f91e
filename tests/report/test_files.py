"""The files of a report: CSV, CodeCarbon, model card, plots, all written the same every time."""

from __future__ import annotations

import copy
import csv
import io
import json

import pytest
from huggingface_hub import ModelCard

from trainwright.report.accounting.curves import thinned
from trainwright.report.build import build_report
from trainwright.report.formats.csv import CODECARBON, codecarbon_csv, curves_csv, table_csv
from trainwright.report.formats.model_card import model_card
from trainwright.report.values import Curves
from trainwright.report.write import write_report
from trainwright.tests.report.folders import PLAN, Log, whole_run


def _rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_table_csv_holds_unrounded_rows_that_add_up(tmp_path):
    """The total is the sum of the rows, to the last digit that a float holds."""
    report = build_report([whole_run(tmp_path / str(n), last=n) for n in (31, 77)])
    rows = _rows(table_csv(report))
    actual = [float(row["carbon_tonnes"]) for row in rows if row["basis"] == "measured"]
    assert len(actual) == 3
    assert actual[2] == pytest.approx(sum(actual[:2]), rel=1e-15)


def test_unknown_is_an_empty_field(tmp_path):
    """No zero stands where nothing was read."""
    log = Log(kwh=None)
    log.start()
    log.steps(1, 3)
    report = build_report([log.write(tmp_path / "run")])
    (actual,) = [row for row in _rows(table_csv(report)) if row["basis"] == "unknown" and row["model"] == "tiny"]
    assert (actual["energy_kwh"], actual["carbon_tonnes"]) == ("", "")
    (line,) = _rows(codecarbon_csv(report))
    assert (line["emissions"], line["gpu_energy"]) == ("", "")


def test_codecarbon_columns_and_units(whole):
    """CodeCarbon's column names; kg, kWh with PUE, watts of all devices, seconds."""
    report = build_report([whole])
    (line,) = _rows(codecarbon_csv(report))
    row = report.runs[0].actual
    assert tuple(line) == CODECARBON
    assert float(line["emissions"]) == pytest.approx(row.carbon_tonnes * 1000)
    assert float(line["energy_consumed"]) == pytest.approx(row.energy_kwh * 1.1)
    assert float(line["gpu_power"]) == pytest.approx(760)
    assert (float(line["duration"]), line["gpu_count"], line["cpu_energy"]) == (pytest.approx(200), "2", "")


def test_formulas_of_spreadsheets_stay_words(tmp_path):
    """A name that starts like a formula is quoted."""
    plan = copy.deepcopy(PLAN)
    plan["name"] = "=HYPERLINK(1)"
    report = build_report([whole_run(tmp_path / "run", last=3, plan=plan)])
    assert _rows(curves_csv(report))[0]["run"] == "'=HYPERLINK(1)"


def test_hugging_face_reads_the_model_card(whole):
    """The hub's own library finds grams of CO2eq, source and hardware in the metadata."""
    report = build_report([whole])
    found = ModelCard(model_card(report)).data.co2_eq_emissions
    assert found["emissions"] == pytest.approx(report.actual_total.carbon_tonnes * 1e6, rel=1e-4)
    assert found["hardware_used"] == "2 x A100-SXM4-80GB"
    assert "measured" in found["source"]
    assert "geographical_location" not in found  # the spec gave an intensity, and no place


def test_the_model_card_says_where_the_electricity_came_from(tmp_path):
    """The hub's key for the place holds the region of the spec, in words."""
    run = whole_run(tmp_path / "run")
    plan = json.loads((run / "plan.json").read_text())
    plan["carbon"]["place"] = "SERC Virginia/Carolina (us-va)"
    (run / "plan.json").write_text(json.dumps(plan))
    found = ModelCard(model_card(build_report([run]))).data.co2_eq_emissions
    assert found["geographical_location"] == "SERC Virginia/Carolina (us-va)"


def test_unknown_emissions_are_left_out_of_the_model_card(tmp_path):
    """No number rather than a wrong one."""
    log = Log(kwh=None)
    log.start()
    log.steps(1, 3)
    card = ModelCard(model_card(build_report([log.write(tmp_path / "run")])))
    assert "emissions" not in card.data.co2_eq_emissions


def test_the_same_run_gives_the_same_bytes(restarted, tmp_path):
    """Every file, PNG and SVG among them, is the same when written again."""
    first, second = (write_report(build_report([restarted]), tmp_path / name) for name in ("a", "b"))
    assert [path.name for path in first] == [path.name for path in second]
    pairs = [(path, tmp_path / "b" / path.relative_to(tmp_path / "a")) for path in first]
    assert [path.name for path, again in pairs if path.read_bytes() != again.read_bytes()] == []


def test_thinning_keeps_ends_and_every_spike(tmp_path):
    """A long curve is thinned to a bounded size; one outlier in 30,000 steps is still there."""
    steps = 30_000
    loss = tuple(2.0 if step != 17_003 else 9.0 for step in range(steps))
    nothing = (None,) * steps
    columns = {key: nothing for key in Curves.model_fields if key not in {"step", "loss"}}
    thin = thinned(Curves(step=tuple(range(steps)), loss=loss, **columns), 100)
    assert (thin.step[0], thin.step[-1]) == (0, steps - 1)
    assert 9.0 in thin.loss
    assert len(thin.step) < 1000


def test_figures_have_text_as_text_and_a_panel_for_what_is_known(tmp_path):
    """SVG text can be searched, PDF fonts are TrueType, and a metric that nobody knows has no panel."""
    log = Log(kwh=None)
    log.start()
    log.steps(1, 30)
    for line in log.lines:
        line.update({key: None for key in ("mfu", "power_watts") if key in line})
    write_report(build_report([log.write(tmp_path / "run")]), tmp_path / "out")
    health = (tmp_path / "out" / "health.svg").read_text()
    assert ">Gradient norm</text>" in health
    assert ">MFU</text>" not in health
    assert ">Energy (kWh)</text>" not in (tmp_path / "out" / "quality.svg").read_text()
    assert b"/CIDFontType2" in (tmp_path / "out" / "loss.pdf").read_bytes()


def test_a_short_run_beside_a_long_one_is_no_vertical_line(tmp_path):
    """Where lengths differ more than twentyfold the axis of tokens is logarithmic, and labels each power of ten."""
    for name, lengths in (("near", (30, 60)), ("far", (3, 90))):
        runs = [whole_run(tmp_path / name / str(last), last=last) for last in lengths]
        write_report(build_report(runs), tmp_path / name)
    near, far = ((tmp_path / name / "loss.svg").read_text() for name in ("near", "far"))
    assert ("mathdefault" in near, "mathdefault" in far) == (False, True)
