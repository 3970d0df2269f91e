"""Watches the power limit that the GPUs of this node enforce while a run goes on, and tells when it changes."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...spec.run import Event
from .meter import Clock
from .nvml import Error, Gpu

INTERVAL = 30.0  # seconds between two looks


class CapWatch:
    """Call it often; it looks every INTERVAL seconds and returns `fault` events for limits that changed."""

    def __init__(self, gpus: Sequence[Gpu], requested_watts: float | None, clock: Clock = time.monotonic) -> None:
        self._gpus = gpus
        self._asked = "no cap was asked for" if requested_watts is None else f"asked: {requested_watts:g} W"
        self._clock = clock
        self._due = clock()
        self._seen: dict[str, float] = {}

    def __call__(self) -> list[Event]:
        """Changes since the last look."""
        if self._clock() < self._due:
            return []
        self._due = self._clock() + INTERVAL
        return [event for gpu in self._gpus for event in self._look(gpu)]

    def _look(self, gpu: Gpu) -> list[Event]:
        try:
            now = gpu.enforced_watts()
        except Error:
            return []  # the meter reports a GPU that does not answer
        before = self._seen.get(gpu.uuid, now)
        self._seen[gpu.uuid] = now
        if now == before:
            return []
        what = f"the power limit of {gpu.uuid} changed from {before:g} W to {now:g} W ({self._asked})"
        return [{"kind": "fault", "what": what, "action": "reported"}]
