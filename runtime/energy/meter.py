"""The meter interface, and the meters that need no instrument: an assumed power, an unknown one, and none at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from ...spec.device_row import DeviceRow
from ...spec.events import FaultEvent, GapEvent
from .meter_reading import ABSENT, MeterSource, Reading

Clock = Callable[[], float]  # seconds that never jump: time.monotonic


class Meter(Protocol):
    """Cumulative energy of this node. Every method returns at once; none raises because an instrument failed."""

    @property
    def source(self) -> MeterSource | None:
        """Where the numbers come from; None when the energy is unknown."""
        ...

    def read(self) -> Reading:
        """The energy since the meter was opened, from memory."""
        ...

    def sample_now(self) -> None:
        """Ask for a fresh sample soon: call it where a phase begins or ends."""
        ...

    def events(self) -> list[GapEvent | FaultEvent]:
        """News since the last call, as `gap` and `fault` events of the run's log; the log adds time and step."""
        ...

    def devices(self) -> list[DeviceRow]:
        """What the device of each local rank did since the last call; empty where devices are not read one by one."""
        ...

    def close(self) -> Reading:
        """Take a last sample and stop; the final reading. Call `events` once more after it: open gaps are settled."""
        ...


class ConstantPowerMeter:
    """A constant power over monotonic time: what is assumed where nothing can be read (None: unknown)."""

    def __init__(self, watts: float | None, devices: int, clock: Clock = time.monotonic) -> None:
        self._watts = None if watts is None else watts * devices
        self._devices = devices
        self._clock = clock
        self._opened = clock()

    @property
    def source(self) -> MeterSource | None:
        """Assumed, or unknown."""
        return None if self._watts is None else "assumed"

    def read(self) -> Reading:
        """Power x time."""
        seconds = self._clock() - self._opened
        if self._watts is None:
            return Reading(None, None, None, uncovered_seconds=seconds * self._devices)
        return Reading("assumed", self._watts * seconds, self._watts, covered_seconds=seconds * self._devices)

    def sample_now(self) -> None:
        """Nothing to sample."""

    def events(self) -> list[GapEvent | FaultEvent]:
        """There is never news."""
        return []

    def devices(self) -> list[DeviceRow]:
        """No device is read."""
        return []

    def close(self) -> Reading:
        """The last reading."""
        return self.read()


class NoMeter:
    """For ranks whose node is metered by its local rank 0: adds nothing to a sum over ranks."""

    source: MeterSource | None = None

    def read(self) -> Reading:
        """Nothing, known to be nothing."""
        return ABSENT

    def sample_now(self) -> None:
        """Nothing to sample."""

    def events(self) -> list[GapEvent | FaultEvent]:
        """There is never news."""
        return []

    def devices(self) -> list[DeviceRow]:
        """No device is read."""
        return []

    def close(self) -> Reading:
        """Nothing."""
        return ABSENT
