"""A `Table` or a `Document` as Markdown that renders on GitHub."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...spec.foreign_text import for_markdown
from ..document import Document
from ..tables.cells import Table


def markdown(table: Table) -> str:
    """A GitHub table; totals are its last rows, in bold."""
    bars = ["---:" if index in table.numeric else "---" for index in range(len(table.headings))]
    lines = [_bar(for_markdown(heading) for heading in table.headings), _bar(bars)]
    lines += [_bar(for_markdown(cell.text) for cell in row) for row in table.rows]
    for total in table.totals:
        lines.append(_bar(f"**{for_markdown(cell.text)}**" if cell.text else "" for cell in total))
    notes = [for_markdown(note) for note in table.notes]
    return (
        "\n".join([f"## {for_markdown(table.caption)}", "", *lines, "", *(f"- {note}" for note in notes)]).rstrip()
        + "\n"
    )


def _bar(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def document_markdown(document: Document, images: tuple[str, ...] = ()) -> str:
    """The whole document; `images` lie beside it."""
    parts = [f"# {document.kind}: {for_markdown(document.title)}", "", for_markdown(document.lede), ""]
    parts += [markdown(table) for table in document.tables]
    parts += [f"![{Path(name).stem}]({name})\n" for name in images]
    for section in document.shown_sections:
        parts += [f"# {for_markdown(section.title)}", ""]
        parts += [f"- {name}: {for_markdown(value)}" for name, value in section.facts]
        parts += ["", *(markdown(table) for table in section.tables)]
        if section.missing:
            parts += ["## Missing or left out", "", *(f"- {for_markdown(note)}" for note in section.missing), ""]
    parts += [*(f"{for_markdown(note)}\n" for note in document.notes), f"Written by {document.generator}."]
    return "\n".join(parts) + "\n"
