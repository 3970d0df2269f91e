"""`trainwright backtest RUN...`: the estimator against runs that really happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..compiler.backtest.backtest import backtest
from ..compiler.backtest.tables import backtest_tables
from .options import FormatOption, TableOption
from .output import print_tables

Runs = Annotated[
    list[Path],
    typer.Argument(metavar="RUN", help="Run folders, and files of runs: YAML, or CSV as vTrain's.", show_default=False),
]


def command(runs: Runs, form: FormatOption = "text", only: TableOption = None) -> None:
    """Predict each run from its own description; print predicted, actual, error, and the errors by kind."""
    result = backtest(*runs)
    print_tables(backtest_tables(result), form, result.as_json(), only)
