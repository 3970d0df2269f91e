"""What every command prints the same way: tables, problems, and our own faults."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.help.diagnostics import Format as ReportFormat
from ..compiler.help.diagnostics import as_github, as_json, as_text, ordered, summary
from ..spec.exit_codes import Exit
from ..spec.plain_screen import unguarded
from ..spec.problem import InputError, Problem
from .options import TableFormat

if TYPE_CHECKING:
    from ..report.tables.cells import Table

PICTURES = (".png", ".svg", ".pdf")


def print_problems(problems: Iterable[Problem]) -> None:
    """Print problems to standard error, each with its line and a caret."""
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")  # https://no-color.org
    unguarded(sys.stderr).write(as_text(problems, colour=colour))


def say(text: str) -> None:
    """Print what comes before an exit code or further work: a reader that has left takes neither away."""
    with suppress(BrokenPipeError):
        sys.stdout.write(text)


def print_report(problems: list[Problem], format_: ReportFormat, done: str) -> None:
    """Print what a check found: JSON and GitHub's commands to standard output, text with a summary to the terminal."""
    if format_ == "json":
        say(as_json(problems))
    elif format_ == "github":
        say(as_github(problems))
    else:
        print_problems(problems)
        if problems:
            print(f"{summary(ordered(problems))}; `trainwright explain CODE` says more", file=sys.stderr)
        else:
            print(done)


def print_tables(tables: Sequence[Table], form: TableFormat, data: object, only: str | None = None) -> None:
    """Print tables in one of their formats; `json` prints `data` instead, `csv` one kind."""
    from ..report.formats.latex import latex
    from ..report.formats.markdown import markdown

    if only is not None:
        tables = _chosen(tables, only, form)
    if form == "json":
        print(json.dumps(data, indent=1))
    elif form == "csv":
        _print_csv(tables)
    elif form in ("markdown", "md"):
        print("\n".join(markdown(item) for item in tables), end="")
    elif form == "latex":
        print("\n".join(latex(item) for item in tables), end="")
    else:
        _draw_tables(tables)


def _chosen(tables: Sequence[Table], key: str, form: TableFormat) -> list[Table]:
    """The tables of one kind. Raises InputError (TW877)."""
    if form == "json":
        raise InputError.one("TW877", "JSON holds the values behind all tables", "Leave --table out.", "--table")
    found = [item for item in tables if item.key == key]
    if not found:
        known = ", ".join(dict.fromkeys(item.key for item in tables))
        raise InputError.one("TW877", f"there is no table {key!r}", f"There are: {known}.", "--table")
    return found


def _print_csv(tables: Sequence[Table]) -> None:
    """One rectangular table: programs read no second one behind it. What else there is, standard error names."""
    from ..report.formats.csv import tables_csv

    kinds = dict.fromkeys(item.key for item in tables)
    first, *others = kinds or [""]
    print(tables_csv([item for item in tables if item.key == first]), end="")
    if others:
        print(f"CSV holds one table; not shown: {', '.join(others)} (--table NAME chooses)", file=sys.stderr)


def plain(kind: Any, value: object) -> Any:
    """A value of that type as JSON has it, in the shape that `schema` publishes."""
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind).dump_python(value, mode="json")


def _draw_tables(tables: Sequence[Table]) -> None:
    from ..report.formats.terminal import terminal
    from ..spec.terminal import Terminal

    console = Terminal()
    for index, item in enumerate(tables):
        if index:
            console.print()
        console.print(terminal(item))


@contextmanager
def drawing(path: Path) -> Generator[None]:
    """Draws a picture into `path`. Raises InputError (TW874) when it cannot be written."""
    if path.suffix not in PICTURES:
        raise InputError.one(
            "TW874", f"{path} is not the name of a picture", "Name a .png, .svg or .pdf file.", "--plot"
        )
    try:
        yield
    except (OSError, ValueError) as error:
        raise InputError.one("TW874", f"cannot draw {path}: {error}", "Name a .png or .svg file.", "--plot") from error


def print_written(written: Sequence[Path], page: Path) -> None:
    """Say which files are there, and what would draw the figures that are not."""
    from ..report.formats.plots import can_plot
    from ..spec.terminal import Terminal

    console = Terminal()
    console.print(f"Wrote {len(written)} files to {page.parent}; open {page}", soft_wrap=True)
    if not can_plot():
        console.print("No figures without matplotlib: pip install 'trainwright[train]'", soft_wrap=True, markup=False)


def report_unusable(error: OSError) -> Exit:
    """Say which file or folder cannot be used, and why; an error that names none is an internal one."""
    if not error.filename:
        report_fault(error)
        return Exit.FAULT
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
    remedy = "Free space, or use another disk." if full else "Name a place that exists and that you may write to."
    print_problems([Problem("TW640", "error", f"cannot use {error.filename}: {error.strerror}", remedy)])
    return Exit.STORAGE if full else Exit.INPUT


def report_fault(error: BaseException) -> None:
    """Two lines on screen, the traceback in a file."""
    import tempfile  # the rest of this module is part of every command

    with tempfile.NamedTemporaryFile("w", prefix="trainwright-fault-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    print(f"trainwright: an unexpected error: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"  This is a bug in Trainwright; please report it with {Path(log.name)}", file=sys.stderr)
