"""`trainwright profile RUN`: where the seconds of a step go, traced while the run trains."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..spec.exit_codes import Exit
from ..spec.profile_request import MOST_STEPS, ProfileRequest
from ..spec.run_folder import RunFolder
from .options import FormatOption


def command(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder of a run under way.", show_default=False)],
    steps: Annotated[int, typer.Option(min=1, max=MOST_STEPS, help="Steps to trace.")] = 5,
    rank: Annotated[list[int] | None, typer.Option(min=0, help="A rank to trace, repeatable; 0 if none is.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the steps, and print where their seconds went.")] = True,
    form: FormatOption = "text",
) -> None:
    """Trace the next steps of a run: a file a rank for chrome://tracing or Perfetto, and a table beside the estimate.

    The steps train as all others do; they are slower while they are traced.
    """
    from ..report.accounting.history import read_run_history
    from ..report.tables.profile import profile_table
    from ..runtime.launch.request_profile import request_profile, wait_for_profile
    from ..spec.terminal import Terminal
    from .output import print_tables

    run, console = RunFolder(path), Terminal(stderr=True)
    offset = run.events.stat().st_size if run.events.exists() else 0
    console.print(request_profile(run, ProfileRequest(steps=steps, ranks=tuple(rank or [0]))), soft_wrap=True)
    if not wait:
        return
    with console.status("tracing") as status:
        found = wait_for_profile(run, offset, lambda seconds: status.update(f"tracing, {seconds:.0f} s"))
    if found is None:
        console.print(f"{path} ended before the profile was done", soft_wrap=True)
        raise typer.Exit(Exit.INPUT)
    estimate = read_run_history(path, events=False).estimate
    print_tables([profile_table(found, estimate.time_parts if estimate else ())], form, asdict(found))
    console.print(f"traces: {run.profile(found.step or 0)}", soft_wrap=True)
