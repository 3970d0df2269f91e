"""Runs and specs side by side, under other caps and on other grids; a paper's table rebuilt."""

from __future__ import annotations

import csv
import io
import math

import pytest

from trainwright.report.build import build_report
from trainwright.report.formats.csv import codecarbon_csv, tables_csv
from trainwright.report.tables.cap_sweep import cap_sweep
from trainwright.report.tables.compare import compare_document, of_estimate, of_run, regions, side_by_side
from trainwright.report.tables.paper import paper_document, predicted_series
from trainwright.report.tables.published import published_table
from trainwright.spec.emissions import Intensity
from trainwright.spec.estimate import Estimate, Range
from trainwright.spec.facts import facts
from trainwright.tests.report.folders import estimate as prediction

PUBLISHED = ((184320, 400, 31.22), (368640, 400, 62.44), (1038336, 350, 153.90), (1720320, 400, 291.42))


def _estimate(hours=1.0, watts=400.0, **changes):
    return Estimate.model_validate(prediction(hours, watts, **changes))


def _llama2():
    return [
        _estimate(
            published_device_hours=hours,
            published_power_watts=watts,
            published_carbon_tonnes=tonnes,
            name=f"llama2-{n}",
        )
        for n, (hours, watts, tonnes) in enumerate(PUBLISHED)
    ]


def test_one_published_run_has_no_total():
    """A total of one row says nothing, and its truncation nothing about a paper."""
    table = published_table(_llama2()[:1])
    assert (len(table.rows), table.totals, len(table.notes)) == (1, (), 1)


def test_every_column_has_a_name():
    """A heading is a button that sorts; one without words cannot be read aloud."""
    tables = (side_by_side([of_estimate(_estimate())]), cap_sweep("a", [_estimate()]), published_table(_llama2()))
    assert [heading for table in tables for heading in table.headings if not heading] == []


def test_published_hours_give_the_printed_digits():
    """The paper's formula and truncation give every printed digit of Table 2, and the total from unrounded rows."""
    table = published_table(_llama2(), facts("papers")["llama2"]["total_tonnes"])
    assert [row[4].text for row in table.rows] == ["31.22", "62.44", "153.90", "291.42"]
    assert [row[6].text for row in table.rows] == ["yes"] * 4
    assert [cell.text for cell in table.totals[0]] == ["Total", "3,311,616", "", "539.0010", "539.00", "539.00", "yes"]
    assert "538.98" in table.notes[0]


def test_a_digit_that_differs_is_called_out():
    """A printed figure that the formula does not give says NO."""
    table = published_table([_llama2()[0].model_copy(update={"published_carbon_tonnes": 31.23})])
    assert table.rows[0][6].text == "NO"


def test_reproduction_labels_every_series_and_loss(whole):
    """Predicted curves are dashed and say so; measured runs stand beside them as measured."""
    estimates, runs = _llama2(), build_report([whole]).runs
    series = [
        predicted_series(item.name, [1e9, 2e9], [Range(value=2.5, low=2.3, high=2.8), None]) for item in estimates
    ]
    document = paper_document(facts("papers")["llama2"], estimates, series, runs)
    assert [(line.label, line.predicted) for line in document.series][-2:] == [
        ("llama2-3 (predicted)", True),
        ("tiny", False),
    ]
    assert [row[1].text for row in document.sections[0].tables[0].rows] == ["predicted"] * 4 + ["measured"]


def test_side_by_side_measures_against_the_first(whole):
    """A plan and a run in one table, with their basis, and changes against the first."""
    (run,) = build_report([whole]).runs
    table = side_by_side([of_estimate(_estimate(1.0)), of_run(run)])
    assert [row[1].text for row in table.rows] == ["planned", "measured"]
    assert table.rows[0][-1].text == "+0.0%"
    assert table.rows[1][-1].value == pytest.approx(run.actual.carbon_tonnes / (0.4 * 1.1 * 0.385 / 1000))


def test_cap_sweep_marks_the_least_energy():
    """The cap with the least energy is marked, wherever it lies; the highest cap is what others compare with."""
    sweep = [
        _estimate(hours, watts, power_cap_watts=cap)
        for cap, hours, watts in ((400, 1, 380), (200, 1.5, 190), (100, 5, 100))
    ]
    rows = cap_sweep("tiny", sweep).rows
    assert [row[0].text for row in rows if row[-1].text == "least energy"] == ["200"]
    assert rows[-1][3].text == "+400.0%"


def test_elsewhere_only_the_intensity_changes():
    """Same energy, same PUE, the other grid's intensity; unknown energy stays unknown."""
    plan = of_estimate(_estimate(1000.0))
    unknown = of_estimate(_estimate(1.0, energy_kwh=None, carbon_tonnes=None))
    rows = regions([plan, unknown], [Intensity("fr", 0.05, "table")]).rows
    assert math.isclose(rows[0][3].value, 400 * 1.1 * 0.05 / 1000)
    assert (rows[1][3].text, rows[1][4].text) == ("unknown", "unknown")


def test_the_pue_of_a_run_is_the_plans_number(whole):
    """No digit of it is lost on the way through a text."""
    (run,) = build_report([whole]).runs
    odd = run.model_copy(update={"carbon": run.carbon.model_copy(update={"pue": 1.0987654321})})
    assert of_run(odd).pue == 1.0987654321
    report = build_report([whole]).model_copy(update={"runs": (odd,)})
    (line,) = csv.DictReader(io.StringIO(codecarbon_csv(report)))
    assert line["pue"] == "1.0987654321"


def test_a_title_names_a_few_and_counts_the_others():
    """Three names are read, twelve are not."""
    several = [of_estimate(_estimate(), label=f"run-{index}") for index in range(12)]
    assert compare_document(several[:3], [], []).title == "run-0, run-1, run-2"
    assert compare_document(several, [], []).title == "run-0 and 11 others"


def _wide(**changes):
    """An estimate that counts hosts too."""
    parts = [{"name": name, "value": 1e-4, "low": 9e-5, "high": 2e-4} for name in ("devices", "host")]
    money = {"value": 5.0, "low": 4.0, "high": 6.0}
    return _estimate(scope_parts=parts, cost=money, currency="EUR", water_litres=money, **changes)


def test_carbon_of_other_scopes_is_compared_in_the_scope_that_both_have(whole):
    """Hosts in one and not in the other are no difference of carbon, and the note says what is compared."""
    (run,) = build_report([whole]).runs
    table = side_by_side([of_estimate(_wide()), of_run(run)])
    assert "since they do not all count the same scopes" in table.notes[0]
    planned = 1.0 * 400 / 1000 * 1.1 * 0.385 / 1000
    assert table.rows[1][-1].value == pytest.approx(run.actual.carbon_tonnes / planned)


def test_ranges_money_and_water_are_columns_and_panels():
    """Each number with its bounds in text and CSV, in the currency of the spec; a panel each in the figure."""
    document = compare_document([of_estimate(_wide()), of_estimate(_estimate())], [], [])
    ((first, *_),) = [document.tables[0].rows]
    assert [cell.text for cell in first if "EUR" in cell.text] == ["5 (4 to 6) EUR"]
    record = next(csv.DictReader(io.StringIO(tables_csv(document.tables[:1]))))
    assert (record["Money (EUR), low"], record["Water (L), high"]) == ("4.0", "6.0")
    names = ["Time", "Energy of devices", "Carbon, all counted", "Money", "Water"]
    assert [panel.name for panel in document.panels] == names
    assert [table.key for table in document.tables] == ["compare", "scopes"]
