"""`trainwright diff A B`: what changed in meaning, and what that costs or saves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ..compiler.check import load_checked
from ..compiler.help.diff import Change, Effect, changes, effects
from ..compiler.load import load
from ..report.tables.emissions import Cell, Table
from .figures import FormatOption, figure, print_tables, table
from .options import Sets


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
    print_tables([_changes(changed), _effects(felt)], form, data)


def _changes(changed: list[Change]) -> Table:
    rows = [[Cell(change.path), Cell(_shown(change.before)), Cell(_shown(change.after))] for change in changed]
    return table("changes", "Changes in meaning", ("Key", "Before", "After"), rows)


def _effects(felt: list[Effect]) -> Table:
    rows = [
        [Cell(f"{effect.name} ({effect.unit})"), figure(effect.before), figure(effect.after), Cell(_ratio(effect))]
        for effect in felt
    ]
    return table("effects", "Predicted effect", ("Figure", "Before", "After", "Change"), rows)


def _ratio(effect: Effect) -> str:
    if effect.ratio is None:
        return "unknown"
    return "same" if abs(effect.ratio - 1) < 5e-4 else f"{effect.ratio - 1:+.1%}"


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
