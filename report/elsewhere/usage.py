"""What a file of another tool says that was used: one value a job, window or run. None is unknown, never zero."""

from __future__ import annotations

from dataclasses import dataclass

from ..values import Basis


@dataclass(frozen=True, slots=True)
class DeviceSpan:
    """A device, named so that no other has the name, in use from one moment (Unix seconds) to another."""

    device: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Device hours and energy (before PUE), how they were found, and how much of the hours that covers.

    `host_kwh` is what processors and memory took where somebody metered them. `pue` and `intensity` (kg/kWh) are those
    that the source itself counted with.
    """

    name: str
    place: str  # the file, and the line where there is one
    method: str
    basis: Basis
    device: str = "unknown"
    devices: int | None = None
    device_hours: float | None = None
    energy_kwh: float | None = None
    host_kwh: float | None = None
    coverage: float | None = None
    begin: float | None = None
    end: float | None = None
    spans: tuple[DeviceSpan, ...] = ()
    pue: float | None = None
    intensity: float | None = None
    intensity_source: str = ""
    counted_tonnes: float | None = None  # where the source counts scopes that are no energy of a host


def interval(spans: tuple[DeviceSpan, ...]) -> tuple[float | None, float | None]:
    """The first and the last moment of some spans."""
    if not spans:
        return None, None
    return min(span.begin for span in spans), max(span.end for span in spans)
