"""The pages of exit codes and of the run folder with its events, read from the comments that define them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields

from ...spec import events, exit_codes, run_folder
from .tables import code, page, table

_CODE = re.compile(r"^ {4}(?P<name>[A-Z_]+) = (?P<number>\d+)(?:  # (?P<about>.*))?$", re.MULTILINE)


def exit_page() -> str:
    """Every exit code of every process."""
    rows = [
        (match["number"], code(match["name"]), match["about"] or "done")
        for match in _CODE.finditer(inspect.getsource(exit_codes.Exit))
    ]
    return page("Exit codes", "`spec/exit_codes.py`", table(("code", "name", "meaning"), rows))


def events_page() -> str:
    """The run folder, prose as it is and columns as tables; then the events of its log, from their classes."""
    title, *paragraphs = inspect.cleandoc(run_folder.__doc__ or "").split("\n\n")
    parts = [f"{title}\n"]
    for paragraph in paragraphs:
        rows = list(_columns(paragraph))
        indented = paragraph.startswith("    ") or not rows
        parts.append(_table(rows) if rows and indented else f"{paragraph}\n")
    about = inspect.cleandoc(events.__doc__ or "")
    kinds = [(code(kind), inspect.cleandoc(event.__doc__ or "")) for kind, event in events.KINDS.items()]
    shared = _fields(events.Event)
    parts += ["## Events\n", f"{about}\n", table(("kind", "what happened"), kinds)]
    parts += ["Every event has `kind`, and\n", _table(shared)]
    for kind, event in events.KINDS.items():
        parts += [f"### {kind}\n", _table([row for row in _fields(event) if row not in shared])]
    return page("Run folder and events", "`spec/run_folder.py` and `spec/events.py`", *parts)


def _fields(event: type[events.Event]) -> list[tuple[str, str]]:
    return [(own.name, own.metadata["about"]) for own in fields(event)]


def _table(rows: list[tuple[str, str]]) -> str:
    return table(("name", "what it holds"), [(code(name), about) for name, about in rows])


def _columns(paragraph: str) -> Iterator[tuple[str, str]]:
    """Lines of two columns, set apart by two or more spaces; a line that is indented further continues the last."""
    rows: list[list[str]] = []
    for line in paragraph.splitlines():
        parts = re.split(r"(?<=\S)\s{2,}", line.strip(), maxsplit=1)
        if re.match(r" {8,}\S", line) and rows:
            rows[-1][1] += f" {line.strip()}"
        elif len(parts) == 2:
            rows.append(parts)
        else:
            return
    yield from ((name, about) for name, about in rows)
