"""`trainwright fmt`: write specs the one way, keeping comments and order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.help.format import format_spec
from ..spec.exit_codes import Exit
from ..spec.problem import InputError
from ..spec.yaml_source import STANDARD_INPUT, read_text
from .options import SpecFiles
from .output import print_problems, say


def command(
    specs: SpecFiles,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 2 when a file would change.")] = False,
) -> None:
    """Format specs in place, and standard input to standard output."""
    failed = False
    for path in specs:
        try:
            before = read_text(path)
            after = format_spec(before, str(path))
        except InputError as error:
            print_problems(error.problems)
            failed = True
            continue
        if path == STANDARD_INPUT and not check:
            say(after)
            continue
        if after == before:
            continue
        failed = failed or check
        say(f"{'would format' if check else 'formatted'} {path}\n")
        if not check:
            _replace(path, after)
    if failed:
        raise typer.Exit(Exit.INPUT)


def _replace(path: Path, text: str) -> None:
    """Put `text` in the place of the file, whole or not at all; a link keeps pointing to it."""
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(target.stat().st_mode)
    draft.replace(target)
