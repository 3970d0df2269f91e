"""`trainwright launch`: compile, verify, start a run and follow it."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.load import load_all
from ..compiler.render.write_bundle import write
from ..runtime.launch.admit import require_free, say_decision
from ..runtime.launch.launchable import Launchable
from ..runtime.launch.lock import INHERITED, hold
from ..spec.extras import require_extra
from ..spec.manifest import changed_files, is_bundle
from ..spec.plain_screen import guard_screens
from ..spec.plan import read_plan
from ..spec.problem import InputError
from ..spec.run_folder import RunFolder
from .launch_matrix import compiled, launch_matrix, make_run_folder
from .options import Sets, refuse_options
from .output import print_problems


def command(
    source: Annotated[
        Path, typer.Argument(metavar="SPEC", help="A spec, or a bundle folder that was compiled before.")
    ],
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    target: Annotated[str | None, typer.Option(help="local, ssh, slurm or kubernetes; default: the spec's.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Bundle folder; default: build/<name>.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder; default: runs/<name>.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compile and verify; start nothing.")] = False,
    follow: Annotated[bool | None, typer.Option(help="Follow Slurm's jobs; default: in a terminal.")] = None,
) -> None:
    """Start the run of SPEC, or resume it; Ctrl-C saves and exits."""
    if not dry_run:
        guard_screens(lossy=True)  # a run starts, and ends, whether or not somebody reads what it prints
    if source.is_dir():
        refuse_options(
            {"--set": sets, "--target": target, "--out": out},
            "cannot change a bundle that is compiled already",
            "Launch the spec with it, or the bundle without.",
        )
        launch = _bundle(source)
    else:
        first, *others = load_all([source], sets)
        if others:
            one_run = {"--out": out, "--run": run, "--follow": follow}
            launch_matrix(source, [first, *others], target, one_run, dry_run=dry_run)
            return
        launch = compiled(first, target, out or Path("build") / first.spec.name, source.parent, print_problems)
    folder = RunFolder(run or Path("runs") / launch.plan.name)
    if launch.target != "slurm" or dry_run:
        refuse_options({"--follow": follow is not None}, "is about Slurm's jobs once they are submitted")
    if dry_run:
        _look(launch, folder)
        return
    if launch.target == "local":
        require_extra("train")
    code = start(launch, folder)
    if code is None:
        return
    sys.exit(code or _followed(folder, sys.stdout.isatty() if follow is None else follow))


def start(launch: Launchable, folder: RunFolder, *more: str) -> int | None:
    """Start a bundle's launch.sh under the run's lock, with these words more; its exit code, None of a finished run."""
    make_run_folder(folder.path)
    if not folder.lock.exists():
        launch.decide(folder)  # a refusal leaves no lock file behind
    with hold(folder) as lock:
        require_free(folder, locked=True)
        decision = launch.decide(folder)
        if decision.finished:
            say_decision(decision, folder)
            return None
        if launch.files:
            write(launch.files, launch.bundle)
        os.set_inheritable(lock, True)
        os.environ |= {INHERITED: str(lock), "TRAINWRIGHT_PYTHON": sys.executable}
        return _run_script(launch, folder, *more)


def _bundle(folder: Path) -> Launchable:
    """A bundle that was compiled before."""
    _vouch(folder)
    return Launchable(folder, Path.cwd(), read_plan(folder), {})


def _look(launch: Launchable, run: RunFolder) -> None:
    """What a launch would do. Nothing is written."""
    if run.path.exists() and not run.path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(run.path))
    require_free(run)
    decision = launch.decide(run)
    say_decision(decision, run)
    if not decision.finished:
        print(
            f"dry run: nothing is written; would start, with the bundle {launch.bundle} and the run folder {run.path}:"
        )
        print(shlex.join(launch.words(run)))


def _run_script(launch: Launchable, run: RunFolder, *more: str) -> int:
    """Run launch.sh: in place of this process, or where it only submits jobs, as a child."""
    words = [*launch.words(run), *more]
    print(f"bundle {launch.bundle}, run folder {run.path}; stop with: trainwright stop {run.path}", flush=True)
    if not (launch.bundle / "slurm.sbatch").exists():
        os.execvp(words[0], words)  # noqa: S606 - no shell; signals then reach the supervisor itself
    return subprocess.run(words, check=False, close_fds=False).returncode  # the run continues without us


def _followed(run: RunFolder, wanted: bool) -> int:
    from ..runtime.launch.follow import follow

    if not wanted:
        print(f"follow with: trainwright status {run.path}, or trainwright watch {run.path}")
        return 0
    try:
        return follow(run, lambda text: print(text, end="", flush=True))
    except KeyboardInterrupt:
        print(f"\nThe run continues; to stop it after a checkpoint: trainwright stop {run.path}")
        return 0


def _vouch(bundle: Path) -> None:
    if not is_bundle(bundle):
        raise InputError.one("TW702", f"{bundle} is not a bundle", "compile one: trainwright compile SPEC")
    found = changed_files(bundle)
    if found:
        remedy = "change the spec and compile again; `trainwright compile --force` replaces the bundle"
        raise InputError.one("TW703", f"{bundle} was edited by hand: {', '.join(found)}", remedy)
