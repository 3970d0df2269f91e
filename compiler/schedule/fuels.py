"""Generation by fuel as a carbon intensity: megawatts times the life-cycle emissions of each fuel, over all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from ...spec.facts import facts
from ...spec.foreign_csv import Line
from ...spec.problem import InputError

_EIA = re.compile(r"Net Generation \(MW\) from (.+?)( \((Imputed|Adjusted)\))?")
_ENTSOE = re.compile(r"(.+?)\s+-\s+Actual Aggregated\s+\[MW\]")
MISSING = frozenset({"", "n/e", "-", "n/a"})


def fuel_columns(headings: Iterable[str], path: Path) -> dict[str, float]:
    """kg/kWh of each column of an EIA balance file; of a fuel with several columns the adjusted one."""
    best: dict[str, str] = {}
    for heading in headings:
        match = _EIA.fullmatch(heading)
        if match and (match.group(3) == "Adjusted" or match.group(1) not in best):
            best[match.group(1)] = heading
    return _factors({heading: fuel for fuel, heading in best.items()}, path)


def entsoe_columns(headings: Iterable[str], path: Path) -> dict[str, float]:
    """kg/kWh of each column of ENTSO-E's actual generation per production type."""
    return _factors({heading: match.group(1) for heading in headings if (match := _ENTSOE.fullmatch(heading))}, path)


def _factors(columns: Mapping[str, str], path: Path) -> dict[str, float]:
    known, storage = _words()
    found: dict[str, float] = {}
    for heading, fuel in columns.items():
        word = " ".join(fuel.lower().split())
        if word in storage:
            continue
        if word not in known:
            message = f"{path}: no life-cycle emissions are known of {fuel!r}"
            raise InputError.one("TW895", message, f"Known: {', '.join(sorted(known))}.")
        found[heading] = known[word]
    return found


@cache
def _words() -> tuple[dict[str, float], frozenset[str]]:
    table = facts("fuels")
    factors = {word: table["fuels"][fuel].value for fuel, words in table["words"].items() for word in words}
    return factors, frozenset(table["storage"])


def mixed(line: Line, fuels: Mapping[str, float]) -> float:
    """The intensity of an hour. Raises InputError (TW891) where nothing was generated or nobody knows how much."""
    total = emitted = 0.0
    for heading, factor in fuels.items():
        word = line.text(heading).replace(",", "")
        if word.lower() in MISSING:
            continue
        try:
            megawatts = max(float(word), 0.0)  # what a plant takes from the grid itself is no generation
        except ValueError:
            raise line.wrong(f"{heading} is {word[:40]!r}, which is no number") from None
        total, emitted = total + megawatts, emitted + megawatts * factor
    if not 0 < total < float("inf"):
        raise line.wrong("no generation in this hour: an hour without intensity is a gap")
    return emitted / total
