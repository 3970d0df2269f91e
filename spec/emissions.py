"""Energy and carbon arithmetic: the one place where hours and watts become kWh and tCO2eq.

The paper's way (Llama 2, Table 2): device hours x power x PUE x carbon intensity, with the power cap as the power.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def exact_sum(values: Sequence[float | None]) -> float | None:
    """The exactly rounded sum; None when a part is unknown or the sum leaves the range of a float, and of nothing."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    try:
        found = math.fsum(known)
    except (OverflowError, ValueError):  # ValueError: infinities of both signs
        return None
    return found if math.isfinite(found) else None


def truncated(value: float, digits: int = 2) -> float:
    """`value` cut, not rounded, as the Llama 2 paper prints the rows of its Table 2."""
    scale = 10**digits
    return math.floor(value * scale + 1e-9) / scale


@dataclass(frozen=True, slots=True)
class Intensity:
    """Carbon intensity of a place's electricity in a year, and where the figure comes from.

    `method` is `life cycle` (fuel supply and plants count) or `direct` (what leaves the stacks): never to be mixed.
    """

    place: str
    kg_per_kwh: float
    source: str
    title: str = ""  # the place in words
    year: int | None = None
    method: str = ""


def places() -> tuple[str, ...]:
    """Every name that `intensity` knows: countries, US subregions and states, cloud regions."""
    grid = facts("grid")
    return tuple(sorted([*grid["countries"], *grid["subregions"], *grid["aliases"]]))


def intensity(region: str, year: int | None = None) -> Intensity:
    """Carbon intensity of `region` in `year` (None: the newest) from the dated tables.

    Raises InputError naming the nearest known places, or the years that are known of this one.
    """
    grid = facts("grid")
    name = region.lower()
    name = grid["aliases"].get(name, name)
    for table, source in (("countries", "ember"), ("subregions", "epa")):
        if name not in grid[table]:
            continue
        value, newest, title = grid[table][name]
        origin = grid["sources"][source]
        if year not in (None, newest):
            earlier = facts("grid_years")
            origin, value = earlier["sources"][table], earlier[table].get(name, {}).get(year)
            if value is None:
                known = ", ".join(map(str, known_years(region)))
                message = f"the grid table has no figure of {title} in {year}"
                raise InputError.one("TW210", message, f"Years of {region}: {known}.", "carbon.year")
        words = f"{title} {year or newest}, {origin['method']}: {origin['title']}, {origin['licence']}"
        return Intensity(name, value, words, title, year or newest, origin["method"])
    remedy = nearest_places(region)
    raise InputError.one("TW210", f"{region!r} is not in the grid table", remedy, "carbon.region")


def known_years(region: str) -> list[int]:
    """The years of which the tables have a figure of a known place."""
    grid, earlier = facts("grid"), facts("grid_years")
    name = grid["aliases"].get(region.lower(), region.lower())
    return sorted(
        {
            year
            for table in ("countries", "subregions")
            for year in [*earlier[table].get(name, {}), *(grid[table][name][1:2] if name in grid[table] else [])]
        }
    )


def nearest_places(region: str) -> str:
    """What to write instead of an unknown `region`: places of that name, else those that are written alike."""
    asked, grid = region.lower(), facts("grid")
    titles = {name: row[2] for table in ("countries", "subregions") for name, row in grid[table].items()}
    named = [f"{name} ({title})" for name, title in titles.items() if len(asked) > 2 and asked in title.lower()]
    near = named[:NEAREST] or get_close_matches(asked, places(), n=NEAREST, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "Name a country (fr, de, us) or give `intensity`."
