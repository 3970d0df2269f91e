"""`trainwright history DIR...`: a project's ledger over all its run folders, the failed and abandoned ones too."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..report.accounting.run_folders import owner, run_folders
from ..report.build import build_report
from ..report.tables.history import Entry, entries, history_document
from ..spec.problem import InputError
from .options import FormatOption, TableOption, is_text
from .output import print_tables, print_written


def command(
    places: Annotated[list[Path], typer.Argument(metavar="DIR", help="Folders that hold runs, at any depth.")],
    form: FormatOption = "text",
    only: TableOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write page, tables and JSON there.")] = None,
) -> None:
    """Tokens, hours, kWh, carbon and money by month, person, model and outcome."""
    from ..report.formats.terminal import show
    from ..report.write import write_document
    from ..spec.terminal import Terminal

    found, unreadable = _entries(places)
    document = history_document(found, ", ".join(map(str, places)), unreadable)
    data = {"entries": [asdict(entry) for entry in found], "left_out": unreadable}
    written = write_document(document, out, "history", data) if out else []
    if only or not is_text(form):
        print_tables(document.tables, form, data, only)
        return
    console = Terminal()
    show(document, console, sections=True)
    for note in unreadable:
        console.print(f"left out: {note}", soft_wrap=True, markup=False)
    if out:
        print_written(written, out / "history.html")


def _entries(places: list[Path]) -> tuple[list[Entry], list[str]]:
    """The entries of every run, one run in memory at a time, and the folders that cannot be read."""
    found: list[Entry] = []
    unreadable: list[str] = []
    folders = dict.fromkeys(folder.resolve() for place in places for folder in run_folders(place, unreadable))
    for folder in folders:
        try:
            found += entries(build_report([folder]).runs[0], owner(folder))
        except (InputError, OSError) as error:
            unreadable.append(f"{folder}: {error}")
    if not folders:
        named = ", ".join(map(str, places))
        raise InputError.one("TW861", f"no run folder lies at or below {named}", "Give the folder that runs are in.")
    return found, unreadable
