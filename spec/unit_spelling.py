"""Units that are written in several ways: what an unknown one may have meant."""

from __future__ import annotations

import re

# Spellings of one unit, in lower case; what is left of `Gbit/s`, `Gb/s`, `Gbps` and `GB/s` is the same.
_SPELLINGS = {
    "co2eq|co2e|co2": "",
    "(/sec|ps)$": "/s",
    "bits?|bytes?": "b",
    "watts?$": "w",
    "^(hours?|hrs?)$": "h",
    "^(minutes?|mins?)$": "m",
    "^(seconds?|secs?)$": "s",
    "^days?$": "d",
    "^ton(ne)?s?$": "t",
    "^million": "m",
    "^billion": "b",
    "^trillion": "t",
}


def sound(unit: str) -> str:
    """A unit without case and spelling, to find those that may have been meant."""
    unit = unit.lower()
    for pattern, short in _SPELLINGS.items():
        unit = re.sub(pattern, short, unit)
    return unit
