"""`trainwright compile`: write the bundle, or say with --check whether a checked-in one is stale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.bundle import stale, write
from ..compiler.load import load_all
from ..compiler.pipeline import compile_bundle
from ..spec.exit_codes import Exit
from ..spec.problem import InputError


def command(
    specs: Annotated[list[Path], typer.Argument(help="Specs to compile.")],
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="Override a value, e.g. cluster.power_cap=350W.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="local, ssh, slurm or kubernetes; default: the spec's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Bundle folder; default: build/<name>.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 2 when the bundle is stale.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that was edited by hand.")] = False,
) -> None:
    """Write one bundle a spec; byte-identical for the same spec, and never half written."""
    loaded = load_all(specs, sets or ())
    if out is not None and len(loaded) > 1:
        raise InputError.one(
            "TW630", f"--out names one folder and there are {len(loaded)} specs", "leave --out away", "--out"
        )
    bundles = [(out or Path("build") / item.spec.name, compile_bundle(item, target)) for item in loaded]
    if check:
        _check(bundles)
        return
    for folder, files in bundles:
        state = "written" if write(files, folder, force=force) else "unchanged"
        print(f"{folder}: {len(files)} files {state}; start with: bash {folder}/launch.sh")


def _check(bundles: list[tuple[Path, dict[str, str]]]) -> None:
    found = [(folder, stale(files, folder)) for folder, files in bundles]
    for folder, names in found:
        print(
            f"{folder}: stale: {', '.join(names)}" if names else f"{folder}: up to date",
            file=sys.stderr if names else None,
        )
    if any(names for _, names in found):
        sys.exit(Exit.INPUT)
