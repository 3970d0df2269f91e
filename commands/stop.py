"""`trainwright stop RUN...`: ask runs to checkpoint and exit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..spec.problem import InputError, Problem
from ..spec.run_folder import RunFolder


def command(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Run folders, for example runs/tiny-cpu.", show_default=False)
    ],
    wait: Annotated[bool, typer.Option(help="Wait until they have left.")] = True,
) -> None:
    """Stop runs after a checkpoint; launch them again to resume."""
    from ..runtime.launch import stop
    from ..spec.terminal import Terminal

    console, problems = Terminal(), list[Problem]()
    asked: list[RunFolder] = []
    for run in map(RunFolder, runs):
        try:
            console.print(stop.request_stop(run))
            asked.append(run)
        except InputError as error:
            problems += error.problems
    for run in asked if wait else ():
        with console.status("saving") as status:
            stop.wait_until_stopped(run, lambda seconds: status.update(f"saving, {seconds:.0f} s"))
        console.print(f"{run.path} has stopped; run launch again to resume")
    if problems:
        raise InputError(problems)
