"""One point of a scaling sweep: the same run on so many devices, with one fabric, under one power cap."""

from __future__ import annotations

from dataclasses import dataclass

from .estimate import Estimate


@dataclass(frozen=True, slots=True)
class Setup:
    """What differs from curve to curve: the fabric, and the power cap in watts (None: the device's default)."""

    interconnect: str
    power_cap: float | None


@dataclass(frozen=True, slots=True)
class ScalingPoint:
    """One setup on so many devices: its estimate, or the reason why there is none."""

    setup: Setup
    devices: int
    estimate: Estimate | None
    reason: str = ""

    @property
    def speed_per_device(self) -> float | None:
        """Tokens per second and device; None where the run does not fit or its speed is unknown."""
        if self.estimate is None or self.estimate.tokens_per_second is None:
            return None
        return self.estimate.tokens_per_second.value / self.devices
