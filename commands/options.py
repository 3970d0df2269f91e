"""Arguments and options that several commands share, so that they are called and explained the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..spec.problem import InputError

TableFormat = Literal["text", "markdown", "csv", "json", "latex", "table", "md"]  # the last two: older names
FormatOption = Annotated[
    TableFormat,
    typer.Option("--format", metavar="FORMAT", help="text, markdown, csv, json or latex."),
]

TableOption = Annotated[
    str | None, typer.Option("--table", metavar="NAME", help="Print this table only, e.g. scopes.", show_default=False)
]


def is_text(form: TableFormat) -> bool:
    """Whether a person reads it, in a terminal."""
    return form in ("text", "table")


SpecFile = Annotated[
    Path, typer.Argument(metavar="SPEC", help="A spec file; - reads standard input.", show_default=False)
]
SpecFiles = Annotated[
    list[Path],
    typer.Argument(metavar="SPEC", help="Spec files; a matrix counts as several specs, - reads standard input."),
]
Sets = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key, e.g. cluster.power_cap=350W. Repeatable."),
]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack", metavar="NAME", help="Ask for another published stack, e.g. megatron-core; default: our runtime."
    ),
]


def refuse_options(given: Mapping[str, object], why: str, remedy: str = "Leave it away.") -> None:
    """Raise InputError (TW709) where an option was given that does not apply to what is asked for."""
    names = [name for name, value in given.items() if value not in (None, False, [], "")]
    if names:
        raise InputError.one("TW709", f"{', '.join(names)} {why}", remedy, names[0])
