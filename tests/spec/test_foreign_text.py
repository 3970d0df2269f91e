"""Foreign text is nothing but text in every medium."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.spec.foreign_text import for_csv, for_latex, for_markdown, for_terminal, on_one_line
from trainwright.spec.plain_screen import LossyScreen, PlainScreen
from trainwright.spec.terminal import Terminal

ESCAPES = ["\x1b]0;owned\x07", "\x1b[2Ja", "a\u202eb", "a\rb", "\x9b31m", "\udc80", "\x00"]
MARKUP = ["[/b]", "[link=http://e]x[/link]", ":bomb:"]


@settings(max_examples=300, derandomize=True)
@given(st.text())
def test_nothing_reaches_a_terminal_but_text(text):
    """Whatever the text: only printable characters, line feeds and tabs, all of which encode."""
    shown = for_terminal(text)
    assert all(char.isprintable() or char in "\n\t" for char in shown)
    shown.encode()
    assert "\n" not in on_one_line(text)
    assert for_terminal(shown) == shown


@settings(max_examples=300, derandomize=True)
@given(st.text())
def test_what_is_spelled_out_stays_json(text):
    """JSON that passes a guarded screen means what it meant before."""
    assert json.loads(for_terminal(json.dumps(text, ensure_ascii=False))) == text


@settings(max_examples=300, derandomize=True)
@given(st.text())
def test_a_cell_is_no_formula_and_stays_a_cell(text):
    """No spreadsheet computes a cell, unless it is a number."""
    out = io.StringIO()
    csv.writer(out).writerow([for_csv(text), "next"])
    (row,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert row[1:] == ["next"]
    assert row[0][:1] not in set("=@\t\r")


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "-1e5+A1", "+x"])
def test_formulas_are_quoted(cell):
    """A formula stands there to be read."""
    assert for_csv(cell).startswith(("'", "\\"))


@pytest.mark.parametrize("cell", ["-12.5", "+8.0%", "-12 W", "1,000", "", "text"])
def test_numbers_stay_as_they_are(cell):
    """A sign before a number is no formula."""
    assert for_csv(cell) == cell


def test_the_other_media():
    """Signs of Markdown, HTML and LaTeX are escaped, on one line."""
    assert for_markdown("a|b<i>\n*c*") == r"a\|b\<i\> \*c\*"
    assert for_latex("50% of $\\frac{a}{b}$ CO2") == (r"50\% of \$\textbackslash{}frac\{a\}\{b\}\$ CO\textsubscript{2}")


@pytest.mark.parametrize("text", [*ESCAPES, *MARKUP])
def test_a_terminal_obeys_nobody_else(text, capsys):
    """Drawn or printed: no control character, no markup, and no crash."""
    Terminal().print(text, soft_wrap=True)
    shown = capsys.readouterr().out.rstrip("\n")
    assert shown.isprintable()
    assert shown == text or text in ESCAPES


def test_our_own_colours_stay(monkeypatch, capsys):
    """Behind the guard of plain prints the console still colours."""
    monkeypatch.setattr("sys.stdout", screen := PlainScreen(io.StringIO()))
    console = Terminal()
    console._color_system = None
    assert console.file is screen.stream


class Gone(io.StringIO):
    """A stream that nobody reads."""

    def write(self, text: str) -> int:
        """Refuse."""
        del text
        raise BrokenPipeError

    def flush(self) -> None:
        """Refuse."""
        raise OSError(5, "Input/output error")


def test_a_lossy_screen_loses_instead_of_failing():
    """A closed pipe or a lost terminal ends no training."""
    screen = LossyScreen(Gone())
    assert screen.write("text") == 4
    screen.flush()
    with pytest.raises(BrokenPipeError):
        PlainScreen(Gone()).write("text")
