"""`trainwright presets`: what a spec can name: models, clusters, GPUs and sites, with their sources."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..compiler.help.presets import catalogue
from ..compiler.help.presets_tables import presets_table
from .options import FormatOption, TableOption
from .output import print_tables

Kind = Literal["models", "clusters", "gpus", "sites"]


def command(
    kind: Annotated[
        Kind | None, typer.Argument(metavar="KIND", help="models, clusters, gpus or sites: one table only.")
    ] = None,
    form: FormatOption = "text",
    only: TableOption = None,
    sources: Annotated[bool, typer.Option("--sources", help="Also where each comes from, and the date.")] = False,
) -> None:
    """List what a spec can name; `--format json` always has the sources."""
    found = {name: rows for name, rows in catalogue().items() if kind in (None, name)}
    print_tables([presets_table(name, rows, sources=sources) for name, rows in found.items()], form, found, only)
