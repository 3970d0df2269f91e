"""`trainwright diff A B`: what changed in meaning, and what that costs or saves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.check import load_checked
from ..compiler.help.diff import changes, effects
from ..compiler.help.diff_tables import diff_tables
from ..compiler.load import load
from .options import FormatOption, Sets
from .output import print_tables


def command(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A spec file.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The spec to compare with it.", show_default=False)],
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    form: FormatOption = "table",
) -> None:
    """Compare two specs by what they mean."""
    found = load_checked([before, after], sets)  # the problems of both at once
    if len(found) != 2:
        found = [load(path, sets) for path in (before, after)]  # raises: one of them is a matrix
    old, new = (item.spec for item in found)
    changed = changes(old, new)
    if not changed and form == "table":
        print(f"{before} and {after} mean the same")
        return
    felt = effects(old, new)
    data = {"changes": [asdict(change) for change in changed], "effects": [asdict(effect) for effect in felt]}
    print_tables(diff_tables(changed, felt), form, data)
