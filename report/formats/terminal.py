"""A `Table` or a `Document` in the terminal: as wide as it is, never cut."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from ..document import Document
from ..tables.cells import Table, narrower

FOLDED = 24  # characters of a word that a narrow terminal still shows in one piece
ROOM = 16  # characters beyond their longest words that columns of text are worth leaving out a spare one


def show(document: Document, console: Console, *, sections: bool) -> None:
    """Print the main tables, with `sections` also what lies behind them; always what is missing."""
    console.print(Text(document.title, "bold"))
    for table in document.tables:
        _show(table, console)
    for section in document.shown_sections:
        if sections:
            for name, value in section.facts:
                console.print(Text(f"  {name:<27}{value}"), soft_wrap=True)
            console.print()
            for table in section.tables:
                _show(table, console)
        for note in section.missing:
            console.print(Text(f"{section.title}: {note}", "yellow"), soft_wrap=True)


def _show(table: Table, console: Console) -> None:
    console.print()
    console.print(terminal(table))


def terminal(table: Table) -> RenderableType:
    """The table for a terminal: as it fits, else without spare columns, else turned on its side; then its notes."""
    return Group(_Fitted(table), *(Padding(Text(note, "dim"), (0, 0, 0, 2)) for note in table.notes))


class _Fitted:
    """Chooses the form when the width is known. Words from a run are never taken for markup."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(max_width=10_000)

        def room(table: Table) -> int:
            return options.max_width - Measurement.get(console, wide, _upright(table, 0)).maximum

        table = self._table
        while table.spare and room(table) < ROOM:
            table = narrower(table)
        if room(table) < 0:
            yield _turned(self._table)
            return
        yield _upright(table, room(table))
        if gone := [heading for heading in self._table.headings if heading not in table.headings]:
            yield Text(f"  In a wider terminal also: {', '.join(gone)}.")


def _upright(table: Table, room: int) -> RichTable:
    """Columns as narrow as their longest word, and `room` more characters where they help."""
    laid = RichTable(title=Text(table.caption, "bold"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    laid.padding = (0, 1, 0, 0)
    for index, width in enumerate(_widths(table, room)):
        numeric = index in table.numeric
        heading = Text(_heading(table, index))
        laid.add_column(heading, justify="right" if numeric else "left", width=width, overflow="fold")
    for row in table.rows:
        laid.add_row(*(Text(cell.text) for cell in row))
    if table.totals:
        laid.add_section()
    for total in table.totals:
        laid.add_row(*(Text(cell.text, "bold") for cell in total))
    return laid


def _widths(table: Table, room: int) -> list[int]:
    """Of each column: its longest word, and an equal share of `room`; headings of numbers take what text leaves over.

    Words of text longer than FOLDED, such as paths, may break: one of them must not turn the whole table.
    """
    bounds = [_bounds(table, index) for index in range(len(table.headings))]
    widths = [least for least, _ in bounds]
    for numeric in (False, True):
        short = [index for index in range(len(bounds)) if (index in table.numeric) is numeric]
        while room > 0 and (short := [index for index in short if widths[index] < bounds[index][1]]):
            for index in short[:room]:
                widths[index] += 1
            room -= len(short[:room])
    return widths


def _bounds(table: Table, index: int) -> tuple[int, int]:
    """The widths of a column's longest word and of its longest line."""
    numeric, heading = index in table.numeric, _heading(table, index)
    cells = [row[index].text for row in (*table.rows, *table.totals)]
    words = [*heading.split(), *(cells if numeric else " ".join(cells).split())]
    least, full = (max(map(cell_len, parts), default=0) for parts in (words, [*heading.splitlines(), *cells]))
    return (least if numeric else min(least, FOLDED)), full


def _heading(table: Table, index: int) -> str:
    """A number's unit stands on a line of its own."""
    return table.headings[index].replace(" (", "\n(") if index in table.numeric else table.headings[index]


def _turned(table: Table) -> RichTable:
    """Headings at the left, values at the right, a rule between rows."""
    laid = RichTable(title=Text(table.caption, "bold"), title_justify="left", box=SIMPLE_HEAD, show_header=False)
    laid.add_column(style="dim", overflow="fold")
    laid.add_column(overflow="fold")
    for row in (*table.rows, *table.totals):
        for heading, cell in zip(table.headings, row, strict=True):
            if cell.text:
                laid.add_row(Text(heading), Text(cell.text))
        laid.add_section()
    return laid
