"""`trainwright status RUN...`: where runs are and how far they got."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..spec.exit_codes import Exit
from ..spec.run_folder import PREPARATION_FAILED, RunFolder


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.", show_default=False)],
) -> None:
    """Print where each run is (process, Slurm or Kubernetes job, nowhere) and its progress.

    Exits with 0, or where the preparation of a run failed with the code that it ended with.
    """
    from ..report.live import draw, standing
    from ..runtime.launch.exit_status import recorded_exit_code
    from ..runtime.launch.locate import locate
    from ..spec.terminal import Terminal

    console, codes = Terminal(), list[int]()
    for path in runs:
        run = RunFolder(path)
        place = locate(run)
        # A job that waits in a queue may have written nothing yet; any other folder must be a run's.
        waits = place is not None and not run.events.exists()
        found = None if waits else standing(path, running=place is not None)
        console.print(f"{path}: {place.description if place else 'not running'}", soft_wrap=True)
        if found is not None:
            history, progress = found
            console.print(draw(history, progress, console.width))
            codes += [recorded_exit_code(run.path) or Exit.INPUT] if progress.ended == PREPARATION_FAILED else []
    sys.exit(max(codes, default=Exit.DONE))
