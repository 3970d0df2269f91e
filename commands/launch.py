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

from ..spec.manifest import changed_files, is_bundle
from ..spec.plan import read_plan
from ..spec.problem import InputError
from ..spec.run_folder import RunFolder
from .options import Sets


def command(
    source: Annotated[
        Path, typer.Argument(metavar="SPEC", help="A spec, or a bundle folder that was compiled before.")
    ],
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    target: Annotated[str | None, typer.Option(help="local, ssh, slurm or kubernetes; default: the spec's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Bundle folder; default: build/<name>.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder; default: runs/<name>.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compile and verify; start nothing.")] = False,
    follow: Annotated[bool | None, typer.Option(help="Follow Slurm's jobs; default: in a terminal.")] = None,
) -> None:
    """Start the run of SPEC, or go on with it; Ctrl-C saves and leaves."""
    bundle = source if source.is_dir() else _compiled(source, sets, target, out)
    root = Path.cwd() if source.is_dir() else source.parent
    _vouch(bundle)
    folder = run or Path("runs") / read_plan(bundle).name
    if not dry_run:
        _make(folder)
    words = ["bash", *(str(path.absolute()) for path in (bundle / "launch.sh", folder, root))]
    print(f"bundle {bundle}, run folder {folder}; stop with: trainwright stop {folder}", flush=True)
    if dry_run:
        print(shlex.join(words))
        return
    os.environ["TRAINWRIGHT_PYTHON"] = sys.executable
    if not (bundle / "slurm.sbatch").exists():
        os.execvp(words[0], words)  # noqa: S606 - no shell; signals then reach the supervisor itself
    code = subprocess.run(words, check=False).returncode  # the jobs are submitted; the run goes on without us
    sys.exit(code or _followed(RunFolder(folder), sys.stdout.isatty() if follow is None else follow))


def _make(folder: Path) -> None:
    """Make the run folder before anything is started. Raises OSError that names it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _followed(run: RunFolder, wanted: bool) -> int:
    from ..runtime.launch.follow import follow

    if not wanted:
        print(f"follow with: trainwright status {run.path}, or trainwright watch {run.path}")
        return 0
    try:
        return follow(run, lambda text: print(text, end="", flush=True))
    except KeyboardInterrupt:
        print(f"\nThe run goes on; to stop it after a checkpoint: trainwright stop {run.path}")
        return 0


def _compiled(spec: Path, sets: list[str], target: str | None, out: Path | None) -> Path:
    from ..compiler.load import load
    from ..compiler.pipeline import compile_bundle
    from ..compiler.render.write_bundle import write

    loaded = load(spec, sets)
    folder = out or Path("build") / loaded.spec.name
    write(compile_bundle(loaded, target), folder)
    return folder


def _vouch(bundle: Path) -> None:
    if not is_bundle(bundle):
        raise InputError.one("TW702", f"{bundle} is not a bundle", "compile one: trainwright compile SPEC")
    found = changed_files(bundle)
    if found:
        remedy = "change the spec and compile again; `trainwright compile --force` replaces the bundle"
        raise InputError.one("TW703", f"{bundle} was edited by hand: {', '.join(found)}", remedy)
