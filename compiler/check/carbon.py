"""The carbon intensity is known: given, or looked up for a place.

There is no default intensity: between the cleanest and the dirtiest grids it differs fifty times. The spec's own
value wins over the table.

Bad:

    carbon: {pue: 1.1}

Good:

    carbon: {pue: 1.1, intensity: 0.385 kg/kWh}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW211"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Neither an intensity nor a place."""
    carbon = loaded.spec.carbon
    if carbon.intensity is None and carbon.region is None:
        message = "neither `intensity` nor `region` is given"
        yield Finding("carbon", message, "Add `intensity: 0.385 kg/kWh`, or `region: us-va` to look it up.")
