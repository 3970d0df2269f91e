"""Tables as values: cells with their text and their unrounded number, so that every format only lays them out.

A page can sort by the number and a CSV file can be computed with; `None` stands for words and for unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...spec.display_units import base_unit
from ...spec.number_text import UNKNOWN, Style, fixed, percent, signed_percent, significant, with_unit


@dataclass(frozen=True, slots=True)
class Cell:
    """What is printed, and the unrounded number behind it (None for text and for unknown), with its bounds.

    `unit` is that of the number where it need not be the one that is printed.
    """

    text: str
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title, headings (numbers stand right), rows, totals under a rule, and notes in sentences.

    `spare` are headings that a narrow terminal leaves out, the first one first. `of` is the run or spec that the table
    is about, where others of the same key are about other ones.
    """

    key: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int]
    totals: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = field(default=())
    spare: tuple[str, ...] = ()
    of: str = ""

    @property
    def caption(self) -> str:
        """The title, and what the table is about."""
        return f"{self.title}: {self.of}" if self.of else self.title


def narrower(table: Table) -> Table:
    """The table without its first spare column."""
    gone, *spare = table.spare
    kept = [index for index, heading in enumerate(table.headings) if heading != gone]
    rows, totals = (tuple(tuple(row[index] for index in kept) for row in some) for some in (table.rows, table.totals))
    return replace(
        table,
        headings=tuple(table.headings[index] for index in kept),
        rows=rows,
        totals=totals,
        numeric=frozenset(new for new, old in enumerate(kept) if old in table.numeric),
        spare=tuple(spare),
    )


def text(value: object) -> Cell:
    """A cell of words."""
    return Cell(str(value))


def styled(value: float | None, column: Style) -> Cell:
    """A cell of a number in its column's style."""
    return Cell(column(value), value, column.base)


def bounded_cell(value: float | None, low: float | None, high: float | None, column: Style) -> Cell:
    """A cell of a number in its column's style, with its bounds where it has some."""
    if value is None or low is None or high is None:
        return styled(value, column)
    return Cell(f"{column(value)} ({column(low)} to {column(high)})", value, column.base, low, high)


def quantity_cell(value: float | None, units: Sequence[tuple[float, str]]) -> Cell:
    """A cell of a number that prints with the unit that fits it."""
    return Cell(with_unit(value, units), value, base_unit(units))


def fixed_cell(value: float | None, digits: int = 2) -> Cell:
    """A cell of a number with so many decimals."""
    return Cell(fixed(value, digits), value)


def significant_cell(value: float | None, digits: int = 3) -> Cell:
    """A cell of a number to so many significant digits."""
    return Cell(significant(value, digits), value)


def change_cell(value: float | None, first: float | None) -> Cell:
    """A cell of a change against `first`."""
    return Cell(signed_percent(value / first), value / first) if value is not None and first else text(UNKNOWN)


def share_cell(share: float | None, digits: int = 1) -> Cell:
    """A cell of a share of one, as per cent."""
    return Cell(percent(share, digits), share)


def table(
    key: str, title: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]], spare: Sequence[str] = ()
) -> Table:
    """A table in which a column of numbers (or of unknown ones) stands right."""
    numeric = frozenset(
        index
        for index in range(len(headings))
        if rows and all(row[index].value is not None or row[index].text == UNKNOWN for row in rows)
    )
    return Table(key, title, tuple(headings), tuple(tuple(row) for row in rows), numeric, spare=tuple(spare))
