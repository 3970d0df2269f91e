"""Report stage 7c: runs of several sizes on the same tokens in, the table of how loss and hours scale with size out.

A power law is a straight line in logarithms; two points always lie on one, so a fit takes three sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, linear_regression

from ...spec.display_units import TIMES
from ...spec.facts import figures
from ...spec.number_text import UNKNOWN, count
from ...spec.units import HOUR
from ..values import Report, Run
from .cells import Cell, Table, quantity_cell, text

LEAST_SIZES: int = figures("reporting")["family_sizes"]
SAME_TOKENS: float = figures("reporting")["same_tokens"]  # share by which token counts of one family may differ


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """y = factor x N^exponent, with the share of log y's variance that it explains."""

    factor: float
    exponent: float
    explained: float

    def __call__(self, size: float) -> float:
        """The fitted value at a size."""
        return self.factor * size**self.exponent


def power_law(sizes: Sequence[float], values: Sequence[float | None]) -> PowerLaw | None:
    """The least-squares line through (log size, log value); None where a value is unknown or nothing varies."""
    known = [value for value in values if value is not None and value > 0]
    if len(known) < len(sizes) or len(set(sizes)) < LEAST_SIZES:
        return None
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in known]
    try:
        slope, start = linear_regression(x, y)
        return PowerLaw(math.exp(start), slope, correlation(x, y) ** 2)
    except StatisticsError:  # all values are equal
        return None


def scaling(report: Report) -> Table | None:
    """How validation loss and device hours scale with size, fitted and predicted; None where runs are no family."""
    runs = sorted((run for run in report.runs if run.parameters), key=lambda run: run.parameters or 0)
    tokens = [run.training.tokens or 0.0 for run in runs]
    if len({run.parameters for run in runs}) < LEAST_SIZES or min(tokens) < max(tokens) * (1 - SAME_TOKENS):
        return None
    sizes = [float(run.parameters or 0) for run in runs]
    fit = power_law(sizes, [_loss(run) for run in runs])
    return Table(
        key="scaling",
        title=f"Scaling with size, {count(max(tokens))} tokens each",
        headings=(
            "Run",
            "Parameters",
            "Validation loss (nats)",
            "Fitted",
            "Predicted",
            "Device time, planned",
            "Device time, actual",
        ),
        rows=tuple(_row(run, fit) for run in runs),
        numeric=frozenset(range(1, 7)),
        notes=tuple(_notes(runs, sizes, fit)),
    )


def _loss(run: Run) -> float | None:
    return run.training.validation_loss


def _planned(run: Run) -> float | None:
    return run.planned.device_hours if run.planned else None


def _actual(run: Run) -> float | None:
    return run.actual.device_hours


def _row(run: Run, fit: PowerLaw | None) -> tuple[Cell, ...]:
    fitted = fit(run.parameters) if fit and run.parameters else None
    return (
        text(run.label),
        Cell(count(run.parameters), run.parameters),
        *(Cell(UNKNOWN if loss is None else f"{loss:.3f}", loss) for loss in (_loss(run), fitted, run.predicted_loss)),
        *(quantity_cell(None if h is None else h * HOUR, TIMES) for h in (_planned(run), _actual(run))),
    )


def _notes(runs: Sequence[Run], sizes: Sequence[float], fit: PowerLaw | None) -> list[str]:
    columns: list[tuple[str, Callable[[Run], float | None]]] = [
        ("predicted loss", lambda run: run.predicted_loss),
        ("planned device time", _planned),
        ("actual device time", _actual),
    ]
    laws = [("validation loss", fit), *((name, power_law(sizes, [of(run) for run in runs])) for name, of in columns)]
    fitted = [f"{name} as N^{law.exponent:.3f} (R2 {law.explained:.3f})" for name, law in laws if law]
    notes = [f"With N parameters: {'; '.join(fitted)}."] if fitted else []
    if any(run.predicted_loss is None for run in runs):
        notes.append("Predicted loss: unknown where the published law says nothing about runs so small.")
    return notes
