"""`trainwright status RUN...`: where runs are and how far they got."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..spec.events import PREPARATION_FAILED
from ..spec.exit_codes import Exit
from ..spec.run_folder import RunFolder
from .options import FormatOption, is_text


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.", show_default=False)],
    form: FormatOption = "text",
) -> None:
    """Print where each run is (process, Slurm or Kubernetes job, nowhere) and its progress.

    Exits with 0, or where the preparation of a run failed with the code that it ended with.
    """
    from ..report.live import draw, standing
    from ..report.status import RunStatus, run_status, status_table, waiting
    from ..runtime.launch.exit_status import recorded_exit_code
    from ..runtime.launch.locate import locate
    from ..spec.terminal import Terminal
    from .output import print_tables

    console, codes, found, shown = Terminal(), list[int](), list[RunStatus](), list[Any]()
    for path in runs:
        run = RunFolder(path)
        location = locate(run)
        place = location.description if location else None
        where = f"{path}: {place or 'not running'}"
        if place is not None and not run.events.exists():  # in a queue it may have written nothing yet
            found.append(waiting(path, place))
            shown.append(where)
            continue
        history, progress = standing(path, running=place is not None)
        found.append(run_status(path, place, history, progress))
        shown += [where, draw(history, progress, console.width)]
        codes += [recorded_exit_code(run.path) or Exit.INPUT] if progress.ended == PREPARATION_FAILED else []
    if is_text(form):
        for part in shown:
            console.print(part, soft_wrap=isinstance(part, str))
    else:
        print_tables([status_table(found)], form, [status.model_dump() for status in found])
    sys.exit(max(codes, default=Exit.DONE))
