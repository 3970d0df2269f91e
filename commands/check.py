"""`trainwright check`: every problem of every spec at once."""

from __future__ import annotations

from typing import Annotated

import typer

from ..compiler.check import CRASHED, check_files
from ..compiler.help.diagnostics import Format
from ..spec.exit_codes import Exit
from .options import Sets, SpecFiles
from .output import print_report

_FORMAT = "text: with the line and a caret; json; github: annotations of a workflow."


def command(
    specs: SpecFiles,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    format_: Annotated[Format, typer.Option("--format", help=_FORMAT)] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 2 for warnings too.")] = False,
) -> None:
    """Check specs. Exit 0 when there is no error, 2 when there is one, 3 when a check crashed."""
    problems, names = check_files(specs, sets)
    print_report(problems, format_, done=f"{', '.join(names)}: no problems found")
    if any(problem.code == CRASHED for problem in problems):
        raise typer.Exit(Exit.FAULT)
    failing = ("error", "warning") if strict else ("error",)
    if any(problem.severity in failing for problem in problems):
        raise typer.Exit(Exit.INPUT)
