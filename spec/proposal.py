"""A proposed schedule: when to train under which power cap, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass

from .estimate import Range


@dataclass(frozen=True, slots=True)
class CapSpan:
    """From one moment to another (Unix seconds) under one cap; `cap_watts` is None without one, and in a pause."""

    begin: float
    end: float
    paused: bool
    cap_watts: float | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to train; kWh are the devices' own, kg of devices and cooling. `cost` is of the hours that are held."""

    name: str
    spans: tuple[CapSpan, ...]
    pauses: int
    kwh: float
    kg: float
    cost: Range | None
    currency: str

    @property
    def begin(self) -> float:
        """When training begins."""
        return self.spans[0].begin

    @property
    def end(self) -> float:
        """When all work is done."""
        return self.spans[-1].end

    @property
    def paused_seconds(self) -> float:
        """Time within it in which the devices are free for others."""
        return sum(span.end - span.begin for span in self.spans if span.paused)
