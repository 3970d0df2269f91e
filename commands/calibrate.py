"""`trainwright calibrate RUNS`: fit the estimator's efficiency to your own runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..compiler.backtest.calibrate import calibrate
from ..compiler.backtest.tables import calibration_tables
from ..spec.problem import InputError
from .output import print_tables

Runs = Annotated[Path, typer.Argument(metavar="RUNS", help="A YAML file of your runs, as `backtest` reads it.")]
Out = Annotated[Path, typer.Option("--out", help="The profile file to write.")]


def command(runs: Runs, out: Out = Path("calibration.yaml")) -> None:
    """Fit one factor and write a file that a spec can name: `extends: calibration.yaml`."""
    fitted = calibrate(runs)
    print_tables(calibration_tables(fitted), "table", None)
    try:
        out.write_text(fitted.text(runs.name), encoding="utf-8")
    except OSError as error:
        raise InputError.one(
            "TW857", f"cannot write {out}: {error.strerror}", "choose another place", "--out"
        ) from error
    print(f"Wrote {out}: cluster.efficiency {fitted.factor:.4f}. Name it in a spec with `extends: {out.name}`.")
