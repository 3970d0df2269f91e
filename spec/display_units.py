"""Units that a quantity is printed in, largest first: a run of a minute and a run of a year both read well."""

from __future__ import annotations

from collections.abc import Sequence

MASSES = ((1.0, "tCO2eq"), (1e-3, "kgCO2eq"), (1e-6, "gCO2eq"), (1e-9, "mgCO2eq"))
MONEY = ((1e6, "M USD"), (1.0, "USD"))
POWERS = ((1e6, "MW"), (1e3, "kW"), (1.0, "W"))
ENERGIES = ((1.0, "kWh"), (1e-3, "Wh"))
BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"))
BYTE_RATES = ((1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"))
FLOP_RATES = ((1e15, "PFLOP/s"), (1e12, "TFLOP/s"), (1e9, "GFLOP/s"))
COUNTS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, ""))
TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))


def fitting(value: float, units: Sequence[tuple[float, str]]) -> tuple[float, str]:
    """The first unit in which `value` is at least 1; of zero the first, of what is below 1 in all of them the last."""
    return next(((s, u) for s, u in units if abs(value) / s >= 1), units[-1] if value else units[0])
