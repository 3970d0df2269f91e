"""`trainwright calibrate RUN...`: fit the estimator's efficiency to your own runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..compiler.backtest.calibrate import WRITTEN_BY, calibrate
from ..compiler.backtest.tables import calibration_tables
from ..spec.problem import InputError
from .output import print_tables

Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN", help="Run folders, and YAML files of runs as `backtest` reads them.", show_default=False
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="The profile file to write.")]


def command(runs: Runs, out: Out = Path("calibration.yaml")) -> None:
    """Fit one factor and write a file that a spec can name: `extends: calibration.yaml`."""
    _require_profile(out)
    fitted = calibrate(*runs)
    print_tables(calibration_tables(fitted), "text", None)
    try:
        out.write_text(fitted.text(", ".join(run.resolve().name for run in runs)), encoding="utf-8")
    except OSError as error:
        raise InputError.one(
            "TW857", f"cannot write {out}: {error.strerror}", "choose another place", "--out"
        ) from error
    print(f"Wrote {out}: cluster.efficiency {fitted.factor:.4f}. Name it in a spec with `extends: {out.name}`.")


def _require_profile(out: Path) -> None:
    """Raise InputError where `out` is anything but a profile that `calibrate` wrote."""
    if out.exists() and not (out.is_file() and out.read_bytes().startswith(WRITTEN_BY.encode())):
        raise InputError.one("TW857", f"{out} is not a profile of `calibrate`", "choose another place", "--out")
