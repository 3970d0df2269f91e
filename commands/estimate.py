"""`trainwright estimate SPEC...`: what runs will cost, before anything runs."""

from __future__ import annotations

from ..api import estimate, load_all
from ..compiler.plan.calibration_table import calibration_table
from ..compiler.plan.source_table import source_table
from ..report.tables.estimate import limit_tables, prediction_table, scope_table
from ..report.tables.published import published_table
from .options import FormatOption, Sets, SpecFiles, Stack, TableOption
from .output import print_problems, print_tables


def command(
    specs: SpecFiles,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    stack: Stack = None,
    form: FormatOption = "text",
    only: TableOption = None,
) -> None:
    """Predict memory, time, energy, carbon and money of specs, each with its range."""
    loaded = load_all(specs, sets, print_problems)
    estimates = [estimate(item, stack) for item in loaded]
    tables = (
        published_table(estimates),
        prediction_table(estimates),
        *limit_tables(estimates),
        scope_table(estimates),
        calibration_table(loaded),
        source_table(loaded),
    )
    found = [item for item in tables if item]
    if form == "csv":  # which holds one table: the prediction
        found.sort(key=lambda item: item.key != "predicted")
    print_tables(found, form, [item.model_dump() for item in estimates], only)
