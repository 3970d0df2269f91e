"""Problems as text, JSON and GitHub annotations."""

from __future__ import annotations

import json

from trainwright.compiler.help.diagnostics import as_github, as_json, as_text, ordered, summary
from trainwright.spec.problem import Place, Problem

LINE = "cluster: {powr: 1}"
LATE = Problem(
    "TW201", "error", "unknown key `powr`", "Did you mean `power_cap`?", "cluster.powr", Place("b.yaml", 9, 11, 4, LINE)
)
EARLY = Problem("TW501", "note", "50% more", "", "data", Place("a,b.yaml", 1, 1, 1, "data:"))
NOWHERE = Problem("TW000", "error", "a check crashed")


def test_text_shows_the_line_with_a_caret_below_and_the_remedy():
    """Place, severity, code, key, message; the line; what to write."""
    assert as_text([LATE]) == (
        "b.yaml:9:11: error TW201 cluster.powr: unknown key `powr`\n"
        "   9 | cluster: {powr: 1}\n"
        "     |           ^^^^\n"
        "    = help: Did you mean `power_cap`?\n"
    )


def test_problems_are_sorted_by_place_and_shown_once():
    """Whatever the order in which rules run."""
    assert ordered([LATE, EARLY, LATE, NOWHERE]) == [NOWHERE, EARLY, LATE]


def test_a_long_line_is_cut_around_the_place():
    """The caret stays under the place, and no line is longer than a terminal."""
    place = Place("a.yaml", 1, 5001, 3, "x" * 5000 + "bad" + "y" * 5000)
    _, quoted, caret = as_text([Problem("TW102", "error", "m", "", "", place)]).splitlines()
    assert len(quoted) < 130
    assert quoted[caret.index("^") : caret.rindex("^") + 1] == "bad"


def test_colour_changes_nothing_but_colour():
    """The same words with and without."""
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", as_text([LATE, EARLY], colour=True)) == as_text([LATE, EARLY])


def test_json_holds_every_part():
    """Tools need no parsing of text."""
    assert json.loads(as_json([LATE, NOWHERE]))["problems"][1] == {
        "code": "TW201",
        "severity": "error",
        "file": "b.yaml",
        "line": 9,
        "column": 11,
        "width": 4,
        "path": "cluster.powr",
        "message": "unknown key `powr`",
        "remedy": "Did you mean `power_cap`?",
    }


def test_github_shows_it_next_to_the_line():
    """One workflow command a problem, with what is special in them escaped."""
    assert as_github([LATE, EARLY]).splitlines() == [
        "::notice file=a%2Cb.yaml,line=1,col=1,title=TW501::data: 50%25 more",
        "::error file=b.yaml,line=9,col=11,title=TW201::cluster.powr: unknown key `powr` Did you mean `power_cap`?",
    ]


def test_the_summary_counts_by_severity():
    """In one line, in the right number."""
    assert summary([LATE, NOWHERE, EARLY]) == "2 errors, 1 note"
    assert summary([]) == ""
