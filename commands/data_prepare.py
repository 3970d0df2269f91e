"""`trainwright data prepare SPEC`: the tokenizer and the dataset of a run, without starting it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.load import load_all
from ..compiler.render.write_bundle import write
from ..runtime.launch.admit import admit, require_free, say_decision
from ..runtime.launch.launchable import Launchable
from ..runtime.launch.lock import hold, sign
from ..spec.exit_codes import Exit
from ..spec.extras import require_extra
from ..spec.run_folder import RunFolder
from .each_spec import each_spec
from .launch import start
from .launch_matrix import compiled, make_run_folder
from .options import Sets, SpecFile, refuse_options


def prepare(
    source: SpecFile,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    run: Annotated[Path | None, typer.Option(help="Run folder that will refer to it; default: runs/<name>.")] = None,
    here: Annotated[bool, typer.Option("--here", help="On this machine, whatever launch.target is.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes on this machine; default: its cores.")] = None,
) -> None:
    """Make the tokenizer and the dataset of SPEC, where it would be launched, and train nothing.

    Units that are done stay done: the same command resumes. A launch then finds the dataset. Of a matrix, all of them.
    """
    loaded = load_all([source], sets)
    if len(loaded) > 1:
        refuse_options({"--run": run}, f"is about one run, and the matrix makes {len(loaded)}", "Leave it away.")
    launches = each_spec(
        loaded, lambda item, warn: compiled(item, None, Path("build") / item.spec.name, source.parent, warn)
    )
    targets = sorted({launch.target for launch in launches if launch.target != "local" and not here})
    if not targets:
        require_extra("train")
        for launch in launches:
            code = _prepare_here(launch, RunFolder(run or Path("runs") / launch.plan.name), workers)
            if code is not Exit.DONE:
                sys.exit(code)
        return
    refuse_options({"--workers": workers}, f"is about this machine, not about {targets[0]}", "Add --here.")
    if len(loaded) > 1:
        refuse_options({"SPEC": source}, f"makes {len(loaded)} runs, and {targets[0]} prepares one", "Add --here.")
    sys.exit(start(launches[0], RunFolder(run or Path("runs") / launches[0].plan.name), "prepare"))


def _prepare_here(launch: Launchable, folder: RunFolder, workers: int | None) -> Exit:
    from ..runtime.prepare.__main__ import prepare_and_report
    from ..runtime.prepare.job import Job

    make_run_folder(folder.path)
    if not folder.lock.exists():
        launch.decide(folder)  # a refusal leaves no lock file behind
    with hold(folder) as lock:
        require_free(folder, locked=True)
        sign(lock)
        if not launch.decide(folder).finished:
            write(launch.files, launch.bundle)
        say_decision(admit(launch.bundle, folder, launch.root), folder)
        folder.stop.unlink(missing_ok=True)
        job = Job(launch.plan, folder, launch.root.resolve(), workers or len(os.sched_getaffinity(0)))
        return prepare_and_report(job)
