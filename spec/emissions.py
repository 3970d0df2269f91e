"""Energy and carbon arithmetic: the one place where hours and watts become kWh and tCO2eq.

The paper's way (Llama 2, Table 2): device hours x power x PUE x carbon intensity, with the power cap as the power.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches

from .facts import facts
from .problem import InputError

WATTS_PER_KILOWATT = 1000
KG_PER_TONNE = 1000
NEAREST = 3  # places to name when one is unknown


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


@dataclass(frozen=True, slots=True)
class Intensity:
    """Carbon intensity of a place's electricity, and where the figure comes from."""

    place: str
    kg_per_kwh: float
    source: str
    title: str = ""  # the place in words


def places() -> tuple[str, ...]:
    """Every name that `intensity` knows: countries, US subregions and states, cloud regions."""
    grid = facts("grid")
    return tuple(sorted([*grid["countries"], *grid["subregions"], *grid["aliases"]]))


def intensity(region: str) -> Intensity:
    """Carbon intensity of `region` from the dated table. Raises InputError naming the nearest known places."""
    grid = facts("grid")
    name = region.lower()
    name = grid["aliases"].get(name, name)
    for table, source in (("countries", "ember"), ("subregions", "epa")):
        if name in grid[table]:
            value, year, title = grid[table][name]
            origin = grid["sources"][source]
            return Intensity(name, value, f"{title} {year}: {origin['title']}, {origin['licence']}", title)
    remedy = nearest_places(region)
    raise InputError.one("TW210", f"{region!r} is not in the grid table", remedy, "carbon.region")


def nearest_places(region: str) -> str:
    """What to write instead of an unknown `region`: places of that name, else those that are written alike."""
    asked, grid = region.lower(), facts("grid")
    titles = {name: row[2] for table in ("countries", "subregions") for name, row in grid[table].items()}
    named = [f"{name} ({title})" for name, title in titles.items() if len(asked) > 2 and asked in title.lower()]
    near = named[:NEAREST] or get_close_matches(asked, places(), n=NEAREST, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "Name a country (fr, de, us) or give `intensity`."
