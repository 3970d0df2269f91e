"""The report as text: Markdown, LaTeX, terminal, numbers with units."""

from __future__ import annotations

import csv
import io
import math
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from rich.console import Console

from trainwright.report.build import build_report
from trainwright.report.formats.csv import tables_csv
from trainwright.report.formats.latex import latex
from trainwright.report.formats.markdown import markdown
from trainwright.report.formats.terminal import terminal
from trainwright.report.summary import report_document
from trainwright.report.tables.cells import Cell, Table, bounded_cell, fixed_cell, table, text
from trainwright.report.tables.compare import of_run, side_by_side
from trainwright.spec.display_units import ENERGIES, MASSES
from trainwright.spec.number_text import Style, count, fixed, percent, signed_percent, significant, style, with_unit
from trainwright.tests.report.folders import restarted_run, whole_run


def _table(words="a", notes=()):
    return Table(
        "key",
        "Title",
        ("Name", "Time (device hours)"),
        ((Cell(words), Cell("1.50", 1.5)), (Cell("long name " * 3), Cell("unknown"))),
        frozenset({1}),
        ((Cell("Total"), Cell("1.50", 1.5)),),
        notes,
    )


def test_markdown_shows_signs_as_they_are():
    """Words from a run cannot open a cell, a link or a tag."""
    row = markdown(_table("a|b <b>*x*_y_[z](u)\n`c`")).splitlines()[4]
    assert row == r"| a\|b \<b\>\*x\*\_y\_\[z\](u) \`c\` | 1.50 |"


def test_markdown_aligns_numbers_and_bolds_totals():
    """Numbers stand right, totals are the last rows in bold."""
    lines = markdown(_table()).splitlines()
    assert lines[3] == "| --- | ---: |"
    assert lines[6] == "| **Total** | **1.50** |"


def test_latex_escapes_and_uses_booktabs():
    """Every sign that LaTeX takes for its own is escaped, CO2 has its subscript."""
    made = latex(_table(r"50% & $x_1 #2 {a} \b ~^ <1", ("CO2eq.",)))
    cell = r"50\% \& \$x\_1 \#2 \{a\} \textbackslash{}b \textasciitilde{}\textasciicircum{} \textless{}1 & 1.50 \\"
    assert cell in made
    assert r"\toprule" in made
    assert r"CO\textsubscript{2}eq." in made


@pytest.mark.parametrize(("width", "names"), [(100, 1), (40, 3)])
def test_terminal_table_turns_on_its_side_instead_of_cutting(width, names):
    """Where a table does not fit, its rows stand one below another with their headings, and no text is cut."""
    table = _table("word " * 4)
    wide = replace(
        table,
        headings=("Name", *(f"Time {n} (device hours)" for n in range(5))),
        rows=tuple((row[0], *(row[1],) * 5) for row in table.rows),
        totals=tuple((row[0], *(row[1],) * 5) for row in table.totals),
        numeric=frozenset(range(1, 6)),
    )
    out = io.StringIO()
    Console(file=out, width=width).print(terminal(wide))
    assert "…" not in out.getvalue()
    assert out.getvalue().count("Name") == names


def test_a_narrow_terminal_leaves_out_spare_columns_and_names_them():
    """Only as many as must go, the first one first; a wide terminal shows all."""
    table = Table("key", "Title", ("Verdict", *"abcd"), ((Cell("good enough"), *(Cell("1,000"),) * 4),), frozenset())
    for width, left_out in ((80, ""), (50, "also: c."), (40, "also: b, c.")):
        out = io.StringIO()
        Console(file=out, width=width).print(terminal(replace(table, spare=("c", "b"))))
        assert out.getvalue().count("1,000") == 4 - left_out.count(",") - bool(left_out)
        assert out.getvalue().rstrip().endswith(left_out)


def test_a_long_word_is_folded_and_does_not_turn_the_table():
    """The path of an image breaks over lines; the rows of all others stay rows, and nothing is cut."""
    image = "registry.example.org/team/pytorch-training@sha256:" + "0123456789abcdef" * 4
    out = io.StringIO()
    Console(file=out, width=80).print(terminal(_table(image)))
    assert out.getvalue().count("Name") == 1
    assert image in "".join(line.split("1.50")[0].strip() for line in out.getvalue().splitlines())


def test_terminal_takes_no_markup_from_words():
    """[red] is a name, not a colour."""
    out = io.StringIO()
    Console(file=out, width=60).print(terminal(_table("[red]x[/red] [/]")))
    assert "[red]x[/red] [/]" in out.getvalue()


@pytest.mark.parametrize(
    ("values", "texts", "unit"),
    [
        ((291.4222, 31.2238), ("291.42", "31.22"), "tCO2eq"),
        ((0.0000847, 0.0000939), ("84.70", "93.90"), "gCO2eq"),
        ((539.0, 0.0001), ("539.00", "<0.01"), "tCO2eq"),
        ((None, 0.5), ("unknown", "0.500"), "tCO2eq"),
        ((0.0,), ("0.00",), "tCO2eq"),
    ],
)
def test_a_column_has_one_unit_and_one_number_of_decimals(values, texts, unit):
    """The unit follows the largest value, decimals the smallest; what is too small says so, and is not zero."""
    column = style(values, MASSES)
    assert (tuple(column(value) for value in values), column.unit) == (texts, unit)


def test_lone_numbers():
    """A lone quantity takes the unit that fits; no negative zero; large numbers are written out."""
    assert with_unit(0.222, ENERGIES) == "222 Wh"
    assert with_unit(None, ENERGIES) == "unknown"
    assert with_unit(0.0, ENERGIES) == "0 kWh"
    assert (signed_percent(0.99999), signed_percent(0.923)) == ("+0.0%", "-7.7%")
    assert (significant(193104.2), significant(0.58333)) == ("193,104", "0.5833")


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1.7e308, -1.7e308, 5e-324, -5e-324])
def test_no_number_stops_a_text(number):
    """What a hostile plan's factors multiply to prints as unknown, or as the number that it is."""
    texts = [with_unit(number, ENERGIES), fixed(number), significant(number), count(number), percent(number)]
    column = style([number, 1.0], ENERGIES)
    assert {text == "unknown" for text in (*texts[:-1], column(number))} == {not math.isfinite(number)}
    assert column(1.0) != "unknown"


def test_a_number_beyond_its_units_range_is_unknown():
    """A finite number that a small unit carries out of the range of a float stops no column."""
    assert Style(1e-6)(1e308) == "unknown"


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex with booktabs (texlive-latex-recommended)")
def test_tables_of_a_report_fit_a_two_column_article(tmp_path):
    """Every table of two runs and of a comparison, set by a real LaTeX: no box is more than 1 pt too wide."""
    report = build_report([restarted_run(tmp_path / "llama2-70b-first-try"), whole_run(tmp_path / "b", last=77)])
    document = report_document(report)
    tables = [*document.tables, *(table for section in document.sections for table in section.tables)]
    tables.append(side_by_side([of_run(run) for run in report.runs]))
    body = "\n\\clearpage\n".join(latex(item) for item in tables)
    head = r"\documentclass[twocolumn]{article}\usepackage{booktabs}\begin{document}"
    (tmp_path / "a.tex").write_text(rf"{head}{body}\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-800:]
    over = [float(width) for width in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", done.stdout)]
    assert [width for width in over if width > 1] == []


@pytest.mark.service
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex with booktabs (texlive-latex-recommended)")
def test_pdflatex_sets_every_table(tmp_path):
    """A real LaTeX, with booktabs and nothing else, sets tables of hostile words, wide ones too, without an error."""
    table = _table(r"50% & $x_1 #2 {a} \b ~^ <1 \end{document}", ("CO2eq, all of it",))
    wide = replace(table, headings=("Name", *(f"T{n}" for n in range(8))), rows=((Cell("a"), *(Cell("1", 1.0),) * 8),))
    body = "\n".join(latex(item) for item in (table, replace(wide, totals=(), numeric=frozenset(range(1, 9)))))
    text = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "a.tex").write_text(text)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-800:]


def _ranged(of, value):
    """A table of one run: a mass in a unit of its own, with bounds."""
    mass = style([value], MASSES)
    cells = (text("devices"), bounded_cell(value, value * 0.9, value * 1.1, mass))
    return Table("scopes", "Scopes", ("Scope", f"Carbon ({mass.unit})"), (cells,), frozenset({1}), of=of)


def test_csv_of_several_runs_is_one_rectangle_in_base_units():
    """Tables of one kind whose columns print in grams and in tonnes are rows of one table in tonnes, with ranges."""
    rows = list(csv.reader(io.StringIO(tables_csv([_ranged("a", 2e-6), _ranged("b", 30.0)]))))
    assert rows[0] == ["Run", "Scope", "Carbon (tCO2eq)", "Carbon (tCO2eq), low", "Carbon (tCO2eq), high"]
    assert [(row[0], float(row[2])) for row in rows[1:]] == [("a", 2e-6), ("b", 30.0)]
    assert {len(row) for row in rows} == {5}


def test_unknown_and_repeated_headings_leave_csv_whole():
    """Unknown is an empty field, two columns of one name stay two."""
    found = table("t", "T", ("Run", "x", "x"), [(text("a"), fixed_cell(None), fixed_cell(2.0))])
    assert tables_csv([found]) == "Run,x,x [2]\na,,2.0\n"
