"""Units that a quantity is printed in, largest first: a run of a minute and a run of a year both read well."""

from __future__ import annotations

from collections.abc import Sequence

MASSES = ((1.0, "tCO2eq"), (1e-3, "kgCO2eq"), (1e-6, "gCO2eq"), (1e-9, "mgCO2eq"))
POWERS = ((1e6, "MW"), (1e3, "kW"), (1.0, "W"))
ENERGIES = ((1.0, "kWh"), (1e-3, "Wh"))
PLOTTED_ENERGIES = ((1e6, "GWh"), (1e3, "MWh"), *ENERGIES)  # an axis has room for few digits
BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"))
BYTE_RATES = ((1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"))
FLOP_RATES = ((1e15, "PFLOP/s"), (1e12, "TFLOP/s"), (1e9, "GFLOP/s"))
COUNTS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, ""))
LITRES = ((1e6, "ML"), (1e3, "kL"), (1.0, "L"))
TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))

_BASES: dict[tuple[tuple[float, str], ...], str] = {BYTES: "B", BYTE_RATES: "B/s", FLOP_RATES: "FLOP/s"}


def money(currency: str) -> tuple[tuple[float, str], ...]:
    """The units of an amount in a currency."""
    return (1e6, f"M {currency}"), (1.0, currency)


def base_unit(units: Sequence[tuple[float, str]]) -> str:
    """The unit of a value before it is scaled."""
    return _BASES.get(tuple(units)) or next((unit for scale, unit in units if scale == 1.0), "")


def fitting(value: float, units: Sequence[tuple[float, str]]) -> tuple[float, str]:
    """The first unit in which `value` is at least 1; of zero the first, of what is below 1 in all of them the last."""
    return next(((s, u) for s, u in units if abs(value) / s >= 1), units[-1] if value else units[0])
