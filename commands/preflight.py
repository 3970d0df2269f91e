"""`trainwright preflight`: look at this machine before a run starts."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import typer

from .options import Sets, SpecFile


def command(
    spec: SpecFile,
    sets: Sets = [],  # noqa: B006 - typer's way
    run: Path = typer.Option(None, help="Run folder, whose disk is looked at; default: runs/<name>."),
) -> None:
    """Check devices, driver, power cap, memory and disk of this machine against SPEC.

    A launch does the same on every node, and measures clocks and bandwidth between them.
    """
    from ..compiler.check import load_checked_one
    from ..compiler.plan.layout_search import choose
    from ..compiler.plan.lower import lower
    from ..runtime.preflight.__main__ import main

    loaded = load_checked_one(spec, sets)
    with tempfile.TemporaryDirectory() as bundle:
        (Path(bundle) / "plan.json").write_text(lower(loaded, choose(loaded.spec)).model_dump_json(), encoding="utf-8")
        folder = run or Path("runs") / loaded.spec.name
        sys.exit(main(["--bundle", bundle, "--run", str(folder)]))
