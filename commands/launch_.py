"""`trainwright launch`: compile, verify, start a run and follow it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..spec.manifest import changes, is_bundle
from ..spec.plan import read_plan
from ..spec.problem import InputError


def command(
    source: Annotated[
        Path, typer.Argument(metavar="SPEC", help="A spec, or a bundle folder that was compiled before.")
    ],
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="Override a value, e.g. cluster.power_cap=350W.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="local, ssh, slurm or kubernetes; default: the spec's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Bundle folder; default: build/<name>.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder; default: runs/<name>.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compile and verify; print the command, start nothing.")
    ] = False,
) -> None:
    """Start the run of SPEC, or go on with it; Ctrl-C saves and leaves."""
    bundle, root = (source, Path.cwd()) if source.is_dir() else (_compiled(source, sets, target, out), source.parent)
    _vouch(bundle)
    folder = run or Path("runs") / read_plan(bundle).name
    words = ["bash", *(str(path.absolute()) for path in (bundle / "launch.sh", folder, root))]
    print(f"bundle {bundle}, run folder {folder}; stop with: trainwright stop {folder}", flush=True)
    if dry_run:
        print(shlex.join(words))
        return
    os.environ["TRAINWRIGHT_PYTHON"] = sys.executable
    os.execvp(words[0], words)  # noqa: S606 - a list of arguments, no shell; signals then reach the launcher itself


def _compiled(spec: Path, sets: list[str] | None, target: str | None, out: Path | None) -> Path:
    from ..compiler.bundle import write
    from ..compiler.load import load
    from ..compiler.pipeline import compile_bundle

    loaded = load(spec, sets or ())
    folder = out or Path("build") / loaded.spec.name
    write(compile_bundle(loaded, target), folder)
    return folder


def _vouch(bundle: Path) -> None:
    if not is_bundle(bundle):
        raise InputError.one("TW702", f"{bundle} is not a bundle", "compile one: trainwright compile SPEC")
    found = changes(bundle)
    if found:
        remedy = "change the spec and compile again; `trainwright compile --force` replaces the bundle"
        raise InputError.one("TW703", f"{bundle} was edited by hand: {', '.join(found)}", remedy)
