"""A budget is at most the limit of the same thing, and a limit of memory is less than the device has.

`carbon.budget_carbon` and `budget_energy` stop a run when they are used up; `limits` say what it may take at all. A
budget above its limit stops nothing in time. A limit of memory above what the device has limits nothing.

Bad:

    carbon: {pue: 1.1, region: de, budget_carbon: 400 t}
    limits: {carbon: 300 t}

Good:

    carbon: {pue: 1.1, region: de, budget_carbon: 300 t}
    limits: {carbon: 300 t}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.hardware import gpu
from ...spec.limits import LimitName, limit_text
from ..load import Loaded
from .device import is_known
from .finding import Finding

CODE = "TW422"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Budgets and limits of which one makes the other useless."""
    carbon, limits, name = loaded.spec.carbon, loaded.spec.limits, loaded.spec.cluster.gpu
    if limits is None:
        return
    yield from _budget("carbon", carbon.budget_carbon, limits.carbon)
    yield from _budget("energy", carbon.budget_energy, limits.energy)
    held = gpu(name).memory_bytes if is_known(name) else None
    if limits.memory is not None and held is not None and limits.memory > held:
        most, there = limit_text("memory", limits.memory), limit_text("memory", held)
        message = f"the limit of {most} is over the {there} of the device"
        yield Finding("limits.memory", message, "Remove it: plans leave room in a device's memory anyway.")


def _budget(name: LimitName, budget: float | None, limit: float | None) -> Iterator[Finding]:
    if budget is not None and limit is not None and budget > limit:
        message = f"the budget of {limit_text(name, budget)} is over the limit of {limit_text(name, limit)}"
        yield Finding(f"carbon.budget_{name}", message, "Lower the budget, so that the run stops before the limit.")
