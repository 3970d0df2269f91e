"""`trainwright status RUN...`: where runs are and how far they got."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..spec.run import RunFolder


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", show_default=False)],
) -> None:
    """Print where each run is (process, Slurm or Kubernetes job, nowhere) and its progress."""
    from rich.console import Console

    from ..runtime.launch.place import find
    from ..runtime.report.live import draw_once

    console = Console(highlight=False)
    for run in runs:
        place = find(RunFolder(run))
        console.print(f"{run}: {place.text if place else 'not running'}", soft_wrap=True)
        if RunFolder(run).events.exists():
            console.print(draw_once(run, console.width))
