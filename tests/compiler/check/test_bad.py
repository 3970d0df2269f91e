"""Every code has a bad spec, and its report is exactly the recorded one."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from trainwright.compiler.check import CRASHED, check_files
from trainwright.compiler.help.diagnostics import as_json, as_text
from trainwright.compiler.help.explain import entries

BAD = Path(__file__).parents[2] / "bad"
CASES = sorted(BAD.glob("TW*.yaml"))
UPDATE = os.environ.get("TRAINWRIGHT_UPDATE_GOLDEN")
# Codes of stages after `check` have their bad input in the tests of those stages.
CHECKED = [code for code in entries() if code < "TW6" and code != CRASHED]


def _sets(case: Path) -> list[str]:
    if case.is_dir():
        return []
    return re.findall(r"^# sets: (.+)$", case.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_report_of_a_bad_spec_is_exactly_the_recorded_one(case, bad, monkeypatch):
    """A bad spec is reported with its code, in exactly these words, as text and as JSON."""
    monkeypatch.chdir(bad)
    problems, _ = check_files([Path(case.name)], _sets(case))
    reports = {".txt": as_text(problems), ".json": as_json(problems)}
    for suffix, report in reports.items():
        golden = case.with_suffix(suffix)
        if UPDATE:
            golden.write_text(report, encoding="utf-8")
        assert golden.read_text(encoding="utf-8") == report
    assert case.name[:5] in {problem.code for problem in problems}


@pytest.mark.parametrize("code", CHECKED)
def test_every_code_has_a_bad_spec(code):
    """A code without a file in tests/bad/ is a rule that nobody has seen fire."""
    assert [case for case in CASES if case.name.startswith(code)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_problem_points_into_the_file_and_is_explained(case, bad, monkeypatch):
    """A problem has a place, its code has an entry, and there is nothing about Python in its words."""
    monkeypatch.chdir(bad)
    problems, _ = check_files([Path(case.name)], _sets(case))
    known = entries()
    for problem in problems:
        assert problem.place is not None
        assert problem.code in known
        assert not re.search(r"None|Traceback|NoneType|<class|pydantic", problem.message + problem.remedy)
