"""The place is one of the grid table.

An unknown place is an error with the nearest names, never another place's number.

Bad:

    carbon: {pue: 1.1, region: us-virginia}

Good:

    carbon: {pue: 1.1, region: us-va}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.emissions import known_years, nearest_places, places
from ..load import Loaded
from .finding import Finding

CODE = "TW210"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A place without a carbon intensity."""
    region, year = loaded.spec.carbon.region, loaded.spec.carbon.year
    if region is None:
        return
    if region.lower() not in places():
        yield Finding("carbon.region", f"{region!r} is not in the grid table", nearest_places(region))
    elif year is not None and year not in known_years(region):
        known = ", ".join(map(str, known_years(region)))
        yield Finding("carbon.year", f"the grid table has no figure of {region} in {year}", f"It has: {known}.")
