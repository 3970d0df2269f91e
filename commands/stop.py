"""`trainwright stop RUN`: ask a run to checkpoint and exit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..spec.run_folder import RunFolder


def command(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder, for example runs/tiny-cpu.", show_default=False)
    ],
    wait: Annotated[bool, typer.Option(help="Wait until it has left.")] = True,
) -> None:
    """Stop RUN after a checkpoint; launch it again to resume."""
    from ..runtime.launch import stop
    from ..spec.terminal import Terminal

    folder, console = RunFolder(run), Terminal()
    console.print(stop.request_stop(folder))
    if not wait:
        return
    with console.status("saving") as status:
        stop.wait_until_stopped(folder, lambda seconds: status.update(f"saving, {seconds:.0f} s"))
    console.print(f"{run} has stopped; run launch again to resume")
