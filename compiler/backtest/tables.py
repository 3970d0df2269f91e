"""A backtest and a calibration as tables: each run, those that were skipped and why, and the errors by kind."""

from __future__ import annotations

from collections.abc import Sequence

from ...report.tables.cells import Cell, Table, fixed_cell, significant_cell, table, text
from .backtest import Backtest, Prediction
from .calibrate import Calibration

HEADINGS = ("Run", "Kind", "Predicted", "Range", "Actual", "Error", "Assumed")


def backtest_tables(result: Backtest) -> list[Table]:
    """Predicted and actual of each run, what was skipped, and the errors by kind."""
    rows = [
        [
            text(row.id),
            text(row.kind),
            _figure(row.predicted),
            _range(row),
            _figure(row.actual),
            _error(row.error),
            text(row.assumed),
        ]
        for row in result.rows
    ]
    summary = [
        [
            text(kind),
            fixed_cell(one.n, 0),
            *(_error(value) for value in (one.median, one.mean, one.p90, one.bias, one.inside)),
        ]
        for kind, one in result.summary().items()
    ]
    return [
        table("rows", "Predicted and actual", HEADINGS, rows, spare=("Assumed",)),
        *_skipped(result.skipped),
        table(
            "summary",
            "Absolute relative error by kind",
            ("Kind", "n", "Median", "Mean", "p90", "Bias", "Inside"),
            summary,
        ),
    ]


def calibration_tables(fitted: Calibration) -> list[Table]:
    """The factor of each run, and the runs that were skipped."""
    rows = [
        [
            text(fit.id),
            text(fit.profile),
            fixed_cell(fit.factor, 3),
            text("") if fit.error is None else _error(fit.error),
        ]
        for fit in fitted.fits
    ]
    title = "Efficiency at which the model reproduces each run, and its error with that of the others"
    return [table("fits", title, ("Run", "Profile", "Factor", "Left out"), rows), *_skipped(fitted.skipped)]


def _skipped(rows: Sequence[tuple[str, str]]) -> list[Table]:
    cells = [[text(name), text(reason)] for name, reason in rows]
    return [table("skipped", "Skipped", ("Run", "Reason"), cells)] if cells else []


def _range(row: Prediction) -> Cell:
    return text(f"{_figure(row.low).text} to {_figure(row.high).text}")


def _error(value: float) -> Cell:
    return Cell(f"{value:.1%}", value)


def _figure(value: float) -> Cell:
    return significant_cell(value, 4)
