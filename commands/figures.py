"""Tables of the planning commands in any of their formats: table, md, csv, json, latex."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import typer

from ..report.formats.layouts import latex, markdown, terminal
from ..report.tables.emissions import Cell, Table

Format = Literal["table", "md", "csv", "json", "latex"]
FormatOption = Annotated[Format, typer.Option("--format", help="table, md, csv, json or latex.")]


def number(value: float | None, digits: int = 2) -> Cell:
    """A cell of a number with fixed decimals; None is `unknown`."""
    return Cell("unknown" if value is None else f"{value:,.{digits}f}", value)


def figure(value: float | None, digits: int = 3) -> Cell:
    """A cell of a number with so many significant digits; None is `unknown`."""
    if value is None:
        return Cell("unknown")
    whole = abs(value) >= 10 ** (digits - 1)
    return Cell(f"{value:,.0f}" if whole else f"{value:.{digits}g}", value)


def layout_words(layout: Mapping[str, int | str | bool]) -> str:
    """A layout in words, without what is not used."""
    degrees = {name: name for name in ("data", "tensor", "sequence", "pipeline")}
    words = degrees | {"zero": "ZeRO", "micro_batch": "micro batch"}
    parts = [f"{word} {layout[key]}" for key, word in words.items() if layout[key] != 1 or key == "zero"]
    return ", ".join([*parts, *([f"recompute {layout['recompute']}"] if layout["recompute"] != "none" else [])])


def table(
    key: str, title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], spare: Sequence[str] = ()
) -> Table:
    """A table whose columns of numbers stand right; a narrow terminal leaves out `spare` ones, the first one first."""
    numeric = frozenset(
        i
        for i in range(len(columns))
        if rows and all(row[i].value is not None or row[i].text == "unknown" for row in rows)
    )
    return Table(key, title, tuple(columns), tuple(tuple(row) for row in rows), numeric, spare=tuple(spare))


def print_tables(tables: Sequence[Table], form: Format, data: object) -> None:
    """Print tables; `json` prints `data` instead, `csv` unrounded numbers."""
    if form == "json":
        print(json.dumps(data, indent=1))
        return
    if form == "csv":
        writer = csv.writer(sys.stdout)
        for item in tables:
            writer.writerow(item.headings)
            for row in (*item.rows, *item.totals):
                writer.writerow([cell.text if cell.value is None else cell.value for cell in row])
        return
    if form in ("md", "latex"):
        print("\n".join((markdown if form == "md" else latex)(item) for item in tables), end="")
        return
    from .terminal import Terminal

    console = Terminal()
    for item in tables:
        console.print(terminal(item))
        for note in item.notes:
            console.print(f"  {note}", markup=False)
