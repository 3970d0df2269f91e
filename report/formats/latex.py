"""A `Table` as LaTeX that needs only the package booktabs."""

from __future__ import annotations

from collections.abc import Iterable

from ...spec.foreign_text import for_latex
from ..tables.cells import Table

CROWDED = 8  # columns: a table of so many is set small


def latex(table: Table) -> str:
    """A table that needs only the package booktabs."""
    columns = "".join("r" if index in table.numeric else "l" for index in range(len(table.headings)))
    lines = [
        r"\begin{table}",
        r"\centering" + (r"\footnotesize\setlength{\tabcolsep}{3pt}" if len(table.headings) >= CROWDED else ""),
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _ampersand(table.headings),
        r"\midrule",
        *(_ampersand([cell.text for cell in row]) for row in table.rows),
    ]
    if table.totals:
        lines += [r"\midrule", *(_ampersand([cell.text for cell in total]) for total in table.totals)]
    caption = ". ".join((table.title, *(note.rstrip(".") for note in table.notes)))
    lines += [
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{for_latex(caption)}.}}",
        rf"\label{{tab:{table.key}}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _ampersand(cells: Iterable[str]) -> str:
    return " & ".join(for_latex(cell) for cell in cells) + r" \\"
