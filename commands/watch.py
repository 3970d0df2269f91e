"""`trainwright watch RUN`: a run's progress, live."""

from __future__ import annotations

from pathlib import Path

import typer


def command(run: Path = typer.Argument(metavar="RUN", help="Run folder, for example runs/tiny-cpu.")) -> None:
    """Show progress, loss, power, energy and carbon until the run ends; Ctrl-C leaves the run alone."""
    from ..report.live import watch
    from ..runtime.launch.locate import locate
    from ..spec.run_folder import RunFolder
    from ..spec.terminal import Terminal

    try:
        watch(run, Terminal(), running=locate(RunFolder(run)) is not None)
    except KeyboardInterrupt:
        typer.echo("The run continues; to stop it after a checkpoint: trainwright stop " + str(run))
