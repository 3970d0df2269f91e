"""`trainwright status RUN...`: where runs are and how far they got."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..spec.run_folder import RunFolder


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.", show_default=False)],
) -> None:
    """Print where each run is (process, Slurm or Kubernetes job, nowhere) and its progress."""
    from ..report.live import draw_once
    from ..runtime.launch.locate import locate
    from ..spec.terminal import Terminal

    console = Terminal()
    for run in runs:
        place = locate(RunFolder(run))
        # A job that waits in a queue may have written nothing yet; any other folder must be a run's.
        waits = place is not None and not RunFolder(run).events.exists()
        picture = None if waits else draw_once(run, console.width, running=place is not None)
        console.print(f"{run}: {place.description if place else 'not running'}", soft_wrap=True)
        if picture is not None:
            console.print(picture)
