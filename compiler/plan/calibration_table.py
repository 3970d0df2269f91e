"""Which calibration each spec's estimate rests on, as a table: the factor, and where the spec has it from."""

from __future__ import annotations

from collections.abc import Sequence

from ...report.tables.cells import Table, fixed_cell, table, text
from ..load import Loaded

KEY = "cluster.efficiency"


def calibration_table(specs: Sequence[Loaded]) -> Table | None:
    """A row a calibrated spec; None where none is."""
    rows = [
        [text(loaded.spec.name), text(KEY), fixed_cell(factor, 4), text(loaded.provenance.get(KEY, ""))]
        for loaded in specs
        if (factor := loaded.spec.cluster.efficiency) is not None
    ]
    return table("calibration", "Calibrations in use", ("Run", "Key", "Factor", "From"), rows) if rows else None
