"""A `Table` as LaTeX that needs only the package booktabs, and fits a column or, if it is wide, both of an article.

Widths are those of LaTeX's own article: a column of two is 229 pt, the page 469 pt; footnotesize has 8 pt letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ...spec.foreign_text import for_latex
from ..tables.cells import Table

WIDE = "mwMWN%@"
COLUMN, PAGE = 229.0, 469.0  # pt


@dataclass(frozen=True, slots=True)
class Size:
    """A size of type: points of a letter or digit at most, and points between two columns."""

    name: str
    letter: float
    between: float

    def points(self, widths: Sequence[int]) -> float:
        """The width of a table whose columns hold so many letters."""
        return sum(width * self.letter + self.between for width in widths)


SIZES = (Size("footnotesize", 4.9, 6.0), Size("scriptsize", 4.3, 4.0), Size("tiny", 3.6, 3.0))


def latex(table: Table) -> str:
    """A table that needs only the package booktabs; `table*`, over both columns, where one is too narrow."""
    longest, words = _lengths(table, str.splitlines), _lengths(table, str.split)
    wide = SIZES[0].points(longest) > COLUMN
    room = PAGE if wide else COLUMN
    size = next((size for size in SIZES if size.points(words) <= room), SIZES[-1])
    widths = _fitted(longest, words, size, room)
    broken = {index for index, width in enumerate(widths) if width < longest[index]}
    name = "table*" if wide else "table"
    lines = [
        rf"\begin{{{name}}}",
        rf"\centering\{size.name}\setlength{{\tabcolsep}}{{{size.between / 2:g}pt}}",
        rf"\begin{{tabular}}{{{_columns(table, widths, broken, size)}}}",
        r"\toprule",
        _ampersand(table, table.headings, broken),
        r"\midrule",
        *(_ampersand(table, [cell.text for cell in row], broken) for row in table.rows),
    ]
    if table.totals:
        lines += [r"\midrule", *(_ampersand(table, [cell.text for cell in total], broken) for total in table.totals)]
    caption = ". ".join((table.caption, *(note.rstrip(".") for note in table.notes)))
    lines += [
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{for_latex(caption)}.}}",
        rf"\label{{tab:{table.key}}}",
        rf"\end{{{name}}}",
    ]
    return "\n".join(lines) + "\n"


def _lengths(table: Table, parts: Callable[[str], list[str]]) -> list[int]:
    """The longest part (line, or word) of each column, in signs."""
    rows = [tuple(cell.text for cell in row) for row in (*table.rows, *table.totals)]
    columns = zip(table.headings, *rows, strict=True)
    return [max(_signs(part) for text in column for part in (parts(text) or [""])) for column in columns]


def _signs(text: str) -> int:
    """The width of a text in letters of usual width; two wide letters take the room of three."""
    return len(text) + (sum(text.count(letter) for letter in WIDE) + 1) // 2


def _fitted(longest: Sequence[int], words: Sequence[int], size: Size, room: float) -> list[int]:
    """Widths in signs: the widest columns break their lines until all fit, or until no word is left to break at."""
    widths = list(longest)
    while size.points(widths) > room:
        loose = [index for index, width in enumerate(widths) if width > words[index]]
        if not loose:
            return widths
        widths[max(loose, key=lambda index: widths[index])] -= 1
    return widths


def _columns(table: Table, widths: Sequence[int], broken: AbstractSet[int], size: Size) -> str:
    """Numbers right, words left, broken ones in a paragraph."""
    return "".join(
        f"p{{{width * size.letter:.0f}pt}}" if index in broken else "r" if index in table.numeric else "l"
        for index, width in enumerate(widths)
    )


def _ampersand(table: Table, cells: Iterable[str], broken: AbstractSet[int]) -> str:
    """A row; a broken cell is set ragged, on the side where its column stands."""
    return (
        " & ".join(
            rf"{{\{'raggedleft' if index in table.numeric else 'raggedright'} {for_latex(cell)}\par}}"
            if index in broken
            else for_latex(cell)
            for index, cell in enumerate(cells)
        )
        + r" \\"
    )
