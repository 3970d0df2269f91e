"""Markdown tables and headings, written one way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; bars in cells are escaped, None is shown as `unknown`."""
    lines = [_row(heads), _row(["---"] * len(heads)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    """`text` as code, or an empty cell."""
    return f"`{text}`" if text not in (None, "", {}) else ""


def page(title: str, origin: str, *parts: str) -> str:
    """A generated page: its title, what it is generated from, and its parts."""
    return "\n".join([f"# {title}", "", f"Generated from {origin} when this site is built.", "", *parts])


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join('unknown' if cell is None else _cell(str(cell)) for cell in cells)} |"


def _cell(text: str) -> str:
    """`text` on one line; a bar is escaped outside code, where it would end the cell."""
    parts = text.replace("\n", " ").split("`")
    return "`".join(part if index % 2 else part.replace("|", "\\|") for index, part in enumerate(parts))
