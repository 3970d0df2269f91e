"""The power limit that the GPUs of this node really enforce: read at the start of a run, and watched while it lasts.

A cap is never taken for granted: `applied` is true only where the driver says so of every GPU, and null where it
cannot be asked.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence

from ...spec.event_fields import EnforcedCap
from ...spec.events import FaultEvent
from ...spec.facts import figures
from ...spec.plan import Plan
from .meter import Clock
from .node import call_with_timeout, devices_here
from .nvml import Error, GpuHandle, VisibleGpus, find_gpus

INTERVAL: float = figures("metering")["cap_check"]  # seconds between two looks
ROUNDING: float = figures("metering")["cap_rounding"]  # watts: a limit this close to the power cap is the power cap


def observe_cap(plan: Plan) -> EnforcedCap:
    """What this node enforces now: the highest limit of its GPUs. Unknown where one of them does not answer."""

    def highest() -> float | None:
        found = node_gpus(plan)
        return None if found.hidden else max((gpu.enforced_watts() for gpu in found.gpus), default=None)

    enforced, asked = call_with_timeout(highest, Error), plan.device.power_cap_watts
    return EnforcedCap(asked, enforced, is_enforced(enforced, asked))


def combine_caps(nodes: Iterable[EnforcedCap | None]) -> EnforcedCap:
    """The cap of a job from those of its nodes (None: a rank that does not speak for a node)."""
    caps = [cap for cap in nodes if cap is not None]
    asked, limits = caps[0].power_cap_watts, [cap.enforced_watts for cap in caps]
    enforced = None if None in limits else max(limit for limit in limits if limit is not None)
    applied = [cap.applied for cap in caps]
    return EnforcedCap(asked, enforced, False if False in applied else None if None in applied else True)


def is_enforced(enforced: float | None, asked: float | None) -> bool | None:
    """Whether a limit is in force; None when none was asked for or the driver does not report it."""
    return None if enforced is None or asked is None else enforced <= asked + ROUNDING


def node_gpus(plan: Plan) -> VisibleGpus:
    """The GPUs of this node that the run uses; none on CPU. Raises Error where the driver does not answer."""
    if plan.device.kind == "cpu":
        return VisibleGpus([], 0)
    return find_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"), devices_here(plan))


class CapWatch:
    """Call it often; it looks every INTERVAL seconds and returns `fault` events for limits that changed."""

    def __init__(self, gpus: Sequence[GpuHandle], asked: float | None, clock: Clock = time.monotonic) -> None:
        self._gpus = gpus
        self._asked = "no cap was asked for" if asked is None else f"asked for: {asked:g} W"
        self._clock = clock
        self._due = clock()
        self._seen: dict[str, float] = {}

    def __call__(self) -> list[FaultEvent]:
        """Changes since the last look."""
        if self._clock() < self._due:
            return []
        self._due = self._clock() + INTERVAL
        return [event for gpu in self._gpus for event in self._look(gpu)]

    def _look(self, gpu: GpuHandle) -> list[FaultEvent]:
        try:
            now = gpu.enforced_watts()
        except Error:
            return []  # the meter reports a GPU that does not answer
        before = self._seen.get(gpu.uuid, now)
        self._seen[gpu.uuid] = now
        if now == before:
            return []
        what = f"the power limit of {gpu.uuid} changed from {before:g} W to {now:g} W ({self._asked})"
        return [FaultEvent(what=what, action="reported")]
