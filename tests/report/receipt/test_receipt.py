"""Receipts: they give the report's numbers to the last bit, and whatever is changed in one or in its run is named."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trainwright
from trainwright.report.build import build_report
from trainwright.report.formats.csv import codecarbon_csv
from trainwright.report.formats.model_card import model_card
from trainwright.report.receipt.against_runs import compare_with_runs
from trainwright.report.receipt.build import build_receipt
from trainwright.report.receipt.read import parse_receipt, receipt_bytes
from trainwright.report.receipt.values import receipt_schema, receipt_text
from trainwright.report.receipt.verify import check_receipt, explain_totals
from trainwright.report.tables.emissions import emissions
from trainwright.spec.problem import InputError
from trainwright.tests.report.folders import PLAN, Log, restarted_run, whole_run

QUANTITIES = ("device_hours", "power_watts", "energy_kwh", "carbon_tonnes")
RUN_FILE = "receipt.json"


@pytest.fixture
def two(tmp_path):
    """A run with a gap and a restart, and a shorter one."""
    return [restarted_run(tmp_path / "a"), whole_run(tmp_path / "b", last=77)]


def _changed(receipt, change):
    """The receipt after a change of its JSON, as it comes from a file."""
    value = json.loads(receipt_text(receipt))
    change(value)
    return parse_receipt(json.dumps(value).encode(), Path(RUN_FILE))


def test_every_number_of_the_table_is_in_the_receipt(two):
    """Value by value the same binary number as the report's, and text by text what the table prints."""
    report, numbers = build_report(two), {item.name: item for item in build_receipt(two).numbers}
    rows = [(f"run{index}.{row}", getattr(run, row)) for index, run in enumerate(report.runs, 1)
            for row in ("planned", "actual")]  # fmt: skip
    rows += [("total.planned", report.planned_total), ("total.actual", report.actual_total)]
    table = emissions(report)
    for (name, row), line in zip(rows, (*table.rows, *table.totals), strict=True):
        assert [numbers[f"{name}.{key}"].value for key in QUANTITIES] == [getattr(row, key) for key in QUANTITIES]
        assert [numbers[f"{name}.{key}"].printed.text for key in QUANTITIES] == [cell.text for cell in line[2:]]
    assert [numbers[f"run{n}.actual.measured_share"].value for n in (1, 2)] == [r.measured_share for r in report.runs]


def test_a_receipt_holds_alone_and_against_its_runs(two):
    """Nothing differs; the file reads back as it was written, and follows the published schema."""
    receipt = build_receipt(two)
    assert parse_receipt(receipt_text(receipt).encode(), Path(RUN_FILE)) == receipt
    assert (check_receipt(receipt), compare_with_runs(receipt, two)) == ([], [])
    published = (Path(trainwright.__file__).parent / "spec" / "receipt_schema.json").read_text()
    assert published == receipt_schema(), "stale: write it anew with report.receipt.values.receipt_schema()"
    jsonschema.validate(json.loads(receipt_text(receipt)), json.loads(published))


def test_attempts_with_other_factors_have_an_expression_for_the_means(two):
    """PUE and intensity that changed between attempts are numbers of the receipt, not inputs."""
    for number, intensity in ((1, 0.4), (2, 0.1)):
        folder = two[0] / "attempts" / str(number)
        folder.mkdir(parents=True)
        plan = {**PLAN, "carbon": {**PLAN["carbon"], "intensity_kg_per_kwh": intensity}}
        (folder / "plan.json").write_text(json.dumps(plan))
    receipt, report = build_receipt(two), build_report(two)
    numbers = {item.name: item.value for item in receipt.numbers}
    assert numbers["run1.intensity"] == report.runs[0].carbon.intensity_kg_per_kwh
    assert numbers["run1.actual.carbon_tonnes"] == report.runs[0].actual.carbon_tonnes
    assert check_receipt(receipt) == []


def test_unknown_stays_unknown(tmp_path):
    """A run without a meter, and one that never started, have receipts with nulls that hold."""
    log = Log(kwh=None)
    log.start()
    log.steps(1, 3)
    receipt = build_receipt([log.write(tmp_path / "a"), Log().write(tmp_path / "b")])
    numbers = {item.name: item.value for item in receipt.numbers}
    assert (numbers["run1.actual.carbon_tonnes"], numbers["run2.actual.device_hours"]) == (None, None)
    assert numbers["total.actual.energy_kwh"] is None
    assert check_receipt(receipt) == []


def test_card_and_codecarbon_have_the_digits_of_the_receipt(two):
    """Grams in the model card and kilograms in CodeCarbon's file are numbers of the receipt."""
    report, numbers = build_report(two), {item.name: item.value for item in build_receipt(two).numbers}
    assert f"  emissions: {numbers['total.co2_eq_emissions']!r}\n" in model_card(report)
    assert f",{numbers['run2.codecarbon.emissions']!r}," in codecarbon_csv(report).splitlines()[2]


@pytest.mark.parametrize("step", range(0, 60, 7))
def test_any_changed_number_is_named(two, step):
    """A value, input or printed digit that is changed makes its own name come up."""
    receipt = build_receipt(two)
    used = [item.name for item in receipt.inputs if item.value and "devices" not in item.name]
    name = used[step % len(used)]

    def change(value):
        next(item for item in value["inputs"] if item["name"] == name)["value"] *= 1.01

    changed = _changed(receipt, change)
    assert name in {finding.where for finding in compare_with_runs(changed, two)}
    number = receipt.numbers[step % len(receipt.numbers)].name

    def forge(value):
        found = next(item for item in value["numbers"] if item["name"] == number)
        found["value"] = (found["value"] or 0) * 0.5 + 1e-9

    assert number in {finding.where for finding in check_receipt(_changed(receipt, forge))}


def test_a_printed_digit_and_an_expression_of_nothing_are_named(two):
    """A table that prints another digit, and a number that is only asserted, do not hold."""
    receipt = build_receipt(two)

    def change(value):
        value["numbers"][0]["printed"]["text"] = "0.5834"
        value["numbers"][1] |= {"expression": "0.25", "value": 0.25}

    first, second = (finding.message for finding in check_receipt(_changed(receipt, change))[:2])
    assert first == "is printed as 0.5834, but its value prints as 0.5833"
    assert second == "rests on no input"


def test_a_changed_run_is_named_by_file_and_number(two):
    """A log that has grown is told from one that was changed; a file that is gone or new is named."""
    receipt = build_receipt(two)
    with (two[1] / "events.jsonl").open("a") as log:
        log.write('{"kind":"fault","time":1790000100.0,"attempt":1,"what":"x","action":"y"}\n')
    (two[0] / "plan.json").write_text(json.dumps({**PLAN, "carbon": {**PLAN["carbon"], "pue": 1.2}}))
    (two[0] / "MANIFEST").write_text("#")
    (two[1] / "estimate.json").unlink()
    found = {finding.where: finding.message for finding in compare_with_runs(receipt, two)}
    assert found["run2 events.jsonl"].startswith("has grown by 73 bytes since")
    assert found["run1 plan.json"].startswith("was changed: SHA-256")
    assert found["run1 MANIFEST"] == "is not in the receipt"
    assert found["run2 estimate.json"] == "is missing in the run folder"
    assert found["run1.pue"] == "its value is 1.1 in the receipt, 1.2 from the run"
    assert "report.csv" in found


def test_a_renamed_run_folder_is_the_same_run(two, tmp_path):
    """Where a run lies is no part of its receipt."""
    receipt = build_receipt(two)
    shutil.move(two[0], tmp_path / "elsewhere")
    assert compare_with_runs(receipt, [tmp_path / "elsewhere", two[1]]) == []


def test_totals_that_their_rows_do_not_add_up_to_are_explained(tmp_path):
    """Rows rounded one by one, and a total rounded once: the note shows both sums."""
    receipt = build_receipt([whole_run(tmp_path / str(n), last=n) for n in (33, 33, 33, 37)])
    notes = explain_totals(receipt)
    assert any("rounded one by one" in note for note in notes), notes


HOSTILE = {
    "no json": b"{",
    "not utf-8": b"\xff\xfe{}",
    "a list": b"[]",
    "deep": b'{"runs":' + b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nan": b'{"kind": NaN}',
    "digits": b'{"version": ' + b"9" * 100_000 + b"}",
    "twice": b'{"version": 1, "version": 1}',
    "large": b" " * (9 * 2**20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_receipt_is_refused(tmp_path, name):
    """An error of its own in under two seconds, whatever the bytes."""
    path = tmp_path / "r.json"
    path.write_bytes(HOSTILE[name])
    began = time.process_time()
    with pytest.raises(InputError, match="TW866"):
        parse_receipt(receipt_bytes(path), path)
    assert time.process_time() - began < 2


VALUES = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(-(10**400), 10**400), st.text(max_size=8), st.just([]),
    st.just({}),
    st.just("total.planned.energy_kwh + 1"), st.just("run1.pue * " * 40 + "1"), st.just(1e308), st.just("(" * 99),
)  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The receipt of a short run as plain JSON."""
    return json.loads(receipt_text(build_receipt([whole_run(tmp_path_factory.mktemp("r") / "a", last=5)])))


def test_a_number_that_its_unit_carries_out_of_range_is_named(two):
    """A finite value whose printed unit makes it infinite is a finding, not a fault of ours."""

    def change(value):
        next(n for n in value["numbers"] if n["name"] == "run1.planned.carbon_tonnes")["value"] = 1e308

    assert "run1.planned.carbon_tonnes" in {f.where for f in check_receipt(_changed(build_receipt(two), change))}


@settings(max_examples=300)
@given(data=st.data())
def test_any_change_is_refused_or_found_or_harmless(plain, data):
    """A value of any kind at any place: InputError, findings, or a receipt that still holds; nothing else."""
    value = json.loads(json.dumps(plain))
    parent, key = data.draw(st.sampled_from(list(_places(value))))
    parent[key] = data.draw(VALUES)
    try:
        receipt = parse_receipt(json.dumps(value).encode(), Path(RUN_FILE))
    except InputError:
        return
    check_receipt(receipt)
    explain_totals(receipt)


def _places(value):
    """Every place of a JSON value, as its parent and key."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def test_a_circle_of_expressions_cannot_be_written(two):
    """A number may use only what stands before it, so no expression reaches itself."""
    receipt = build_receipt(two)

    def change(value):
        value["numbers"][0]["expression"] = value["numbers"][0]["name"]
        value["numbers"][1]["expression"] = value["numbers"][2]["name"]

    found = {finding.where: finding.message for finding in check_receipt(_changed(receipt, change))}
    assert all("is not defined before it is used" in found[number.name] for number in receipt.numbers[:2])


def test_huge_receipts_are_judged_at_once(two):
    """A megabyte of arithmetic, ten thousand numbers, or more than is computed: an answer in under two seconds."""
    receipt = build_receipt(two)
    base = {"unit": "", "value": 1.0, "printed": None}
    for numbers in (
        [{"name": "n", "expression": "+".join(["1"] * 100_000), **base}] * 9,
        [{"name": f"n{i}", "expression": f"n{i - 1}" if i else "run1.pue", **base} for i in range(20_000)],
        [{"name": f"n{i}", "expression": "x" * 260_000, **base} for i in range(9)],
    ):
        changed = _changed(receipt, lambda value, numbers=numbers: value.update(numbers=numbers))
        began = time.process_time()
        assert check_receipt(changed)
        assert time.process_time() - began < 2
