"""`trainwright compile`: write the bundle, or say with --check whether a checked-in one is stale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..api import compile as compiled
from ..api import write_bundle
from ..compiler.load import load_all
from ..compiler.render.write_bundle import stale
from ..spec.exit_codes import Exit
from ..spec.problem import InputError
from .each_spec import each_spec
from .options import Sets, SpecFiles, refuse_options
from .output import say


def command(
    specs: SpecFiles,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    target: Annotated[str | None, typer.Option(help="local, ssh, slurm or kubernetes; default: the spec's.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Bundle folder; default: build/<name>.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 2 when a bundle is stale.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that was edited by hand.")] = False,
) -> None:
    """Write one bundle a spec; byte-identical for the same spec, and never half written."""
    if check:
        refuse_options({"--force": force}, "replaces a bundle, and --check writes nothing", "Leave one of them away.")
    loaded = load_all(specs, sets)
    if out is not None and len(loaded) > 1:
        message = f"--out names one folder and there are {len(loaded)} specs"
        raise InputError.one("TW630", message, "leave --out away", "--out")
    files = each_spec(loaded, lambda item, warn: compiled(item, target, warn))
    folders = [out or Path("build") / item.spec.name for item in loaded]
    bundles = list(zip(folders, files, strict=True))
    if check:
        sys.exit(_checked(bundles))
    for folder, files in bundles:
        state = "written" if write_bundle(files, folder, force=force) else "unchanged"
        say(f"{folder}: {len(files)} files {state}; start with: bash {folder}/launch.sh\n")


def _checked(bundles: list[tuple[Path, dict[str, str]]]) -> Exit:
    code = Exit.DONE
    for folder, files in bundles:
        names = stale(files, folder)
        say(f"{folder}: {'stale: ' + ', '.join(names) if names else 'up to date'}\n")
        if names:
            code = Exit.INPUT
    return code
