"""Some layout fits the memory of the devices.

The planner knows what parameters, gradients, optimizer and activations take on each device, for every layout that the
spec leaves open. If none fits, it says what takes most, and the nearest change that helps.

Bad:

    model: llama2-70b
    cluster: {preset: meta-rsc, gpus: 8}

Good:

    model: llama2-70b
    cluster: {preset: meta-rsc, gpus: 64}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from ..plan.layout_search import NoLayoutError
from .finding import Finding
from .planned_layout import layout_of

CODE = "TW315"


def check(loaded: Loaded) -> Iterator[Finding]:
    """What the planner says when it finds no layout."""
    try:
        layout_of(loaded)
    except NoLayoutError as error:
        yield Finding(error.path, error.message, error.remedy)
