"""`trainwright backtest RUNS`: the estimator against runs that really happened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..compiler.backtest.backtest import Backtest, backtest
from ..report.tables.emissions import Cell, Table
from .figures import FormatOption, figure, number, print_tables, table

Runs = Annotated[Path, typer.Argument(metavar="RUNS", help="A file of runs: YAML, or CSV as vTrain's.")]


def _percent(value: float) -> Cell:
    return Cell(f"{100 * value:+.1f}%" if value < 0 else f"{100 * value:.1f}%", value)


def _tables(result: Backtest) -> list[Table]:
    rows = [
        [Cell(row.id), Cell(row.kind), figure(row.predicted, 4), figure(row.actual, 4), _percent(row.error)]
        for row in result.rows
    ]
    summary = [
        [Cell(kind), number(one.n, 0), *(_percent(value) for value in (one.median, one.mean, one.p90, one.bias))]
        for kind, one in result.summary().items()
    ]
    tables = [
        table("rows", "Predicted and actual", ("Run", "Kind", "Predicted", "Actual", "Error"), rows),
        table("summary", "Absolute relative error by kind", ("Kind", "n", "Median", "Mean", "p90", "Bias"), summary),
    ]
    if result.skipped:
        reasons = [[Cell(name), Cell(reason)] for name, reason in result.skipped]
        tables.insert(1, table("skipped", "Skipped", ("Run", "Reason"), reasons))
    return tables


def command(runs: Runs, form: FormatOption = "table") -> None:
    """Predict each run from its own description; print predicted, actual, error, and the errors by kind."""
    result = backtest(runs)
    print_tables(_tables(result), form, result.as_json())
