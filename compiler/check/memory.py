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

from ...spec.problem import InputError
from ..load import Loaded
from .finding import Finding
from .planned_layout import layout_of

CODE = "TW315"


def check(loaded: Loaded) -> Iterator[Finding]:
    """What the planner says when it finds no layout."""
    try:
        layout_of(loaded)
    except InputError as error:
        for problem in error.problems:
            help_ = problem.help[:1].upper() + problem.help[1:]
            yield Finding(problem.path, problem.message, help_ if help_.endswith(".") else f"{help_}.")
