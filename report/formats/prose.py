"""A `Document` laid out as Markdown that renders on GitHub, and for the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from ..document import Document
from ..tables.emissions import Table
from .layouts import markdown, markdown_text, terminal


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


def show(document: Document, console: Console, *, sections: bool) -> None:
    """Print the main tables, with `sections` also what lies behind them; always what is missing."""
    console.print(Text(document.title, "bold"))
    for table in document.tables:
        _show(table, console)
    for section in document.sections:
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
    for note in table.notes:
        console.print(Text(note, "dim"))
