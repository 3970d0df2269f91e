"""`trainwright report RUN...`: the emissions table and the loss curves of one or several runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..spec.exit_codes import Exit
from ..spec.problem import InputError
from .options import FormatOption, TableOption, is_text, refuse_options
from .output import print_tables, print_written

if TYPE_CHECKING:
    from ..report.values import Report


def command(
    runs: list[Path] = typer.Argument(None, metavar="RUN", help="Run folders, for example runs/tiny-cpu."),
    out: Path | None = typer.Option(
        None, "--out", "-o", help="Folder of the files; default RUN/report, or ./report for several runs."
    ),
    form: FormatOption = "text",
    only: TableOption = None,
    json: bool = typer.Option(False, "--json", help="The same as --format json."),
    schema: bool = typer.Option(False, "--schema", help="Print the JSON Schema of report.json and nothing else."),
) -> None:
    """Print the table and write it as HTML, Markdown, CSV, JSON, LaTeX, and the curves as PNG, SVG and PDF.

    Another --format than text prints to standard output and writes nothing. Exit 83 where a run broke a limit.
    """
    from ..api import report
    from ..report.accounting.curves import thinned_report
    from ..report.values import report_schema

    if schema:
        refuse_options({"RUN": runs, "--out": out, "--json": json}, "is about a report, and --schema prints its schema")
        print(report_schema(), end="")
        return
    printed = json or only or not is_text(form)
    if printed:
        refuse_options({"--out": out}, "names a folder, and a format is printed", "Leave one of them away.")
        refuse_options({"--json": json and form not in ("text", "json")}, f"is a format, and --format {form} another")
    if not runs:
        raise InputError.one("TW862", "no run folder was given", "for example: trainwright report runs/tiny-cpu")
    found = report(*runs)
    from ..report.summary import report_document

    if printed:
        light = thinned_report(found)
        document = report_document(light)
        tables = document.all_tables if only else document.tables
        print_tables(tables, "json" if json else form, light.model_dump(mode="json"), only)
        _require_limits(found)
        return
    from ..report.formats.terminal import show
    from ..report.write import write_report
    from ..spec.terminal import Terminal

    folder = out or (runs[0] / "report" if len(runs) == 1 else Path("report"))
    written = write_report(found, folder)  # first: `report RUN | head` must leave whole files
    console = Terminal()
    show(report_document(found), console, sections=len(runs) == 1)
    print_written(written, folder / "report.html")
    _require_limits(found)


def _require_limits(report: Report) -> None:
    """End with a code of its own where a run broke a limit of its spec."""
    if any(limit.verdict == "broken" for run in report.runs for limit in run.limits):
        raise typer.Exit(Exit.LIMIT)
