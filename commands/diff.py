"""`trainwright diff A B`: what changed in meaning, and what that costs or saves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..api import Loaded, load
from ..compiler.help.diff import Difference, changes, effects
from ..compiler.help.diff_tables import diff_tables
from ..spec.problem import InputError, Problem
from .options import FormatOption, Sets, TableOption, is_text
from .output import plain, print_tables


def command(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A spec file.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The spec to compare with it.", show_default=False)],
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    sets_a: Annotated[list[str], typer.Option("--set-a", metavar="KEY=VALUE", help="For BEFORE only.")] = [],  # noqa: B006
    sets_b: Annotated[list[str], typer.Option("--set-b", metavar="KEY=VALUE", help="For AFTER only.")] = [],  # noqa: B006
    form: FormatOption = "text",
    only: TableOption = None,
) -> None:
    """Compare two specs by what they mean."""
    sides = ((before, [*sets, *sets_a]), (after, [*sets, *sets_b]))
    old, new = (item.spec for item in _loaded(sides))
    changed = changes(old, new)
    if not changed and is_text(form):
        print(f"{before} and {after} mean the same")
        return
    found = Difference(changed, effects(old, new))
    print_tables(diff_tables(found.changes, found.effects), form, plain(Difference, found), only)


def _loaded(sides: Iterable[tuple[Path, list[str]]]) -> Iterator[Loaded]:
    """The spec of each side. Raises InputError with the problems of both at once."""
    problems: list[Problem] = []
    for path, sets in sides:
        try:
            yield load(path, sets)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise InputError(problems)
