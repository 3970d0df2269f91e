"""The place is one of the grid table.

An unknown place is an error with the nearest names, never another place's number.

Bad:

    carbon: {pue: 1.1, region: us-virginia}

Good:

    carbon: {pue: 1.1, region: us-va}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.emissions import nearest_places, places
from ..load import Loaded
from .finding import Finding

CODE = "TW210"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A place without a carbon intensity."""
    region = loaded.spec.carbon.region
    if region is None or region.lower() in places():
        return
    yield Finding("carbon.region", f"{region!r} is not in the grid table", nearest_places(region))
