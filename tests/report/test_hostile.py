"""Any log at all gives a report: events of known kinds with fields of every wrong type, order and size."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.report.build import build_report
from trainwright.report.formats.csv import codecarbon_csv, curves_csv, table_csv
from trainwright.report.formats.html import page
from trainwright.report.formats.markdown import document_markdown
from trainwright.report.formats.model_card import model_card
from trainwright.report.summary import report_document
from trainwright.report.write import write_report
from trainwright.spec.events import KINDS, from_json
from trainwright.spec.problem import InputError
from trainwright.spec.run_progress import Progress
from trainwright.tests.report.folders import PLAN, estimate, whole_run

FIELDS = (
    "time",
    "attempt",
    "step",
    "tokens",
    "loss",
    "grad_norm",
    "seconds",
    "energy_kwh",
    "power_watts",
    "memory_bytes",
    "world_size",
    "measured",
    "meter",
    "name",
    "device",
    "start",
    "end",
    "reason",
    "rank",
    "what",
    "action",
    "exit_code",
    "power_cap",
    "path",
)
NUMBERS = st.one_of(st.integers(-3, 10**6), st.integers(10**400, 10**401), st.floats(), st.floats(0, 1e4))
VALUES = st.one_of(NUMBERS, st.none(), st.booleans(), st.text(max_size=6), st.lists(st.integers(), max_size=2))
PHASES = st.sampled_from(("tokenizer", "data", "train", "startup", "checkpoint"))
EVENTS = st.builds(
    lambda kind, fields, phase: {**fields, **({"name": phase} if phase else {}), "kind": kind},
    st.one_of(st.sampled_from(sorted(KINDS)), st.text(max_size=4), st.integers()),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=12),
    st.one_of(st.none(), PHASES),
)


@settings(max_examples=150, derandomize=True)
@given(st.lists(EVENTS, max_size=25))
def test_no_event_stops_the_report(events):
    """Every form of text is made from any list of events, and no total is negative or a NaN."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        (run / "plan.json").write_text(json.dumps(PLAN))
        (run / "estimate.json").write_text(json.dumps(estimate(1, 400)))
        (run / "events.jsonl").write_text("\n".join(json.dumps(event) for event in events))
        report = build_report([run])
        document = report_document(report)
        for text in (page(document), document_markdown(document), table_csv(report), curves_csv(report)):
            assert text
        assert codecarbon_csv(report)
        assert model_card(report)
        progress = Progress()
        for event in filter(None, map(from_json, events)):
            progress.update(event)
    row = report.actual_total
    assert all(value is None or value >= 0 for value in (row.device_hours, row.energy_kwh, row.carbon_tonnes))


@pytest.mark.parametrize("name", ["plan.json", "estimate.json"])
@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"name": 5, "carbon": 3, "device": []}', "\x00\xff", '{"model": "x"}']
)
def test_any_plan_and_estimate_give_a_report(tmp_path, name, content):
    """A damaged or strange file is named among what is missing, and left out."""
    run = whole_run(tmp_path / "run", last=3)
    (run / name).write_text(content)
    report = build_report([run])
    assert any(name in note for note in report.runs[0].missing)
    assert page(report_document(report))


def test_a_folder_that_cannot_be_written_is_an_input_error(whole, tmp_path):
    """A file stands where the folder should be: TW865, with the way out."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="TW865"):
        write_report(build_report([whole]), tmp_path / "taken")
