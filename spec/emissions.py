"""Energy and carbon arithmetic: the one place where hours and watts become kWh and tCO2eq.

The paper's way (Llama 2, Table 2): device hours x power x PUE x carbon intensity, with the power cap as the power.
"""

from __future__ import annotations

import math

WATTS_PER_KILOWATT = 1000
KG_PER_TONNE = 1000


def energy_kwh(device_hours: float, watts: float) -> float:
    """Energy of `device_hours` at an average of `watts` per device, in kWh, before PUE."""
    return device_hours * watts / WATTS_PER_KILOWATT


def carbon_tonnes(kwh: float, pue: float, kg_per_kwh: float) -> float:
    """Carbon emitted for `kwh` of device energy, in tCO2eq."""
    return kwh * pue * kg_per_kwh / KG_PER_TONNE


def truncated(value: float, digits: int = 2) -> float:
    """`value` cut, not rounded, as the Llama 2 paper prints the rows of its Table 2."""
    scale = 10**digits
    return math.floor(value * scale + 1e-9) / scale
