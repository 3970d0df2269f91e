"""What one device of a run did over a span of steps: a value a rank, of which the log keeps arrays a node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """One rank and its device. None is unknown; the shares are of the looks that the meter took, one a second."""

    rank: int | None = None
    node: str = ""
    device: str = ""
    own_seconds: float | None = None
    joules: float | None = None
    watts: float | None = None
    clock_mhz: float | None = None
    temperature_celsius: float | None = None
    memory_bytes: float | None = None
    power_capped: float | None = None
    too_hot: float | None = None
    slowed_by_hardware: float | None = None
