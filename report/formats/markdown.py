"""A `Table` or a `Document` as Markdown that renders on GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..document import Document
from ..tables.cells import Table

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~])")


def markdown_text(words: str) -> str:
    """Words with Markdown's and HTML's signs escaped, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(words.split()))


def markdown(table: Table) -> str:
    """A GitHub table; totals are its last rows, in bold."""
    bars = ["---:" if index in table.numeric else "---" for index in range(len(table.headings))]
    lines = [_bar(markdown_text(heading) for heading in table.headings), _bar(bars)]
    lines += [_bar(markdown_text(cell.text) for cell in row) for row in table.rows]
    for total in table.totals:
        lines.append(_bar(f"**{markdown_text(cell.text)}**" if cell.text else "" for cell in total))
    notes = [markdown_text(note) for note in table.notes]
    return (
        "\n".join([f"## {markdown_text(table.title)}", "", *lines, "", *(f"- {note}" for note in notes)]).rstrip()
        + "\n"
    )


def _bar(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def document_markdown(document: Document, images: tuple[str, ...] = ()) -> str:
    """The whole document; `images` lie beside it."""
    parts = [f"# {document.kind}: {markdown_text(document.title)}", "", markdown_text(document.lede), ""]
    parts += [markdown(table) for table in document.tables]
    parts += [f"![{Path(name).stem}]({name})\n" for name in images]
    for section in document.sections:
        parts += [f"# {markdown_text(section.title)}", ""]
        parts += [f"- {name}: {markdown_text(value)}" for name, value in section.facts]
        parts += ["", *(markdown(table) for table in section.tables)]
        if section.missing:
            parts += ["## Missing or left out", "", *(f"- {markdown_text(note)}" for note in section.missing), ""]
    parts += [*(f"{markdown_text(note)}\n" for note in document.notes), f"Written by {document.generator}."]
    return "\n".join(parts) + "\n"
