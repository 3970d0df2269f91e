"""When each device is logged by itself, and what of it: at most `MOST` times a run, whatever its length.

A node of eight GPUs takes 1.1 KB an entry. The 125 nodes of 1,000 ranks write 35 MB over a run of 500,000 steps, beside
more than 100 MB of its steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...spec.device_row import DeviceRow
from ...spec.events import DevicesEvent, devices_event
from ...spec.layout import Layout
from ...spec.plan import Plan

MOST = 250  # entries a run and node
OFTEN = 10  # steps: no more often than this

Said = tuple[int, str, float | None, Sequence[DeviceRow]]  # local rank, node, own seconds, the rows of local rank 0


class DeviceLog:
    """Counts steps to the next entry, and a rank's own time in them."""

    def __init__(self, plan: Plan) -> None:
        self._every = max(OFTEN, math.ceil(plan.schedule.steps / MOST))
        self._alone = computes_alone(plan.layout)
        self._since, self._own = time.monotonic(), 0.0
        self.steps = 0  # since the last entry

    def is_due(self, own_seconds: float, step: int) -> bool:
        """Take in a step; whether an entry is due after it."""
        self.steps += 1
        self._own += own_seconds
        return step % self._every == 0

    def take(self) -> tuple[float, float | None]:
        """The seconds since the last entry, and the mean of this rank's own seconds a step; starts anew."""
        now = time.monotonic()
        seconds, own = now - self._since, self._own / self.steps if self.steps and self._alone else None
        self._since, self._own, self.steps = now, 0.0, 0
        return seconds, own if own is None else round(own, 6)


def computes_alone(layout: Layout) -> bool:
    """Whether a forward pass waits for no other rank, so that its time says how fast this one is."""
    return layout.zero < 3 and layout.tensor == layout.sequence == layout.pipeline == 1


def node_events(said: Sequence[Said], *, step: int, seconds: float) -> Iterator[DevicesEvent]:
    """An event a node, of what its ranks said, in order of rank: those of a node follow its local rank 0."""
    starts = [rank for rank, (local, *_) in enumerate(said) if local == 0]
    for start, end in zip(starts, [*starts[1:], len(said)], strict=True):
        _, node, _, found = said[start]
        devices = dict(enumerate(found))
        rows = [
            replace(devices.get(local, DeviceRow()), rank=start + local, own_seconds=own)
            for local, (_, _, own, _) in enumerate(said[start:end])
        ]
        yield devices_event(node, rows, step=step, seconds=round(seconds, 3))
