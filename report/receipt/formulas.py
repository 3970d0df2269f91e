"""The formulas of `spec.emissions` as expressions of a receipt, over the names of their values."""

from __future__ import annotations

from collections.abc import Iterable

from ...spec.emissions import KG_PER_TONNE, WATTS_PER_KILOWATT


def sum_expression(names: Iterable[str]) -> str:
    """The sum of values."""
    return f"sum({', '.join(names)})"


def energy_expression(hours: str, watts: str) -> str:
    """KWh of device hours at a power, as `spec.emissions.energy_kwh`."""
    return f"{hours} * {watts} / {WATTS_PER_KILOWATT}"


def carbon_expression(energy: str, run: str) -> str:
    """tCO2eq of energy with the factors of a run, as `spec.emissions.carbon_tonnes`."""
    return f"{energy} * {run}.pue * {run}.intensity / {KG_PER_TONNE}"
