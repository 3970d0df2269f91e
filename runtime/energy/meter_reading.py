"""What a meter says: cumulative energy of one node, which adds up over nodes, and the spans nobody metered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...spec.units import JOULES_PER_KWH

MeterSource = Literal["nvml", "rapl", "assumed"]
KINDS: tuple[MeterSource | None, ...] = ("nvml", "rapl", "assumed", None)  # from the best to none at all


@dataclass(frozen=True, slots=True)
class Reading:
    """Energy since the meter was opened. None is unknown, never zero.

    `joules` counts only what was metered: seconds in a gap add nothing to it and are in `uncovered_seconds`.
    The seconds are device-seconds: `covered` by an energy counter (or by the assumed power), `bridged` by
    integrating the power trace where the counter failed, `uncovered` by neither.
    """

    source: MeterSource | None
    joules: float | None
    watts: float | None
    covered_seconds: float = 0.0
    bridged_seconds: float = 0.0
    uncovered_seconds: float = 0.0
    absent: bool = False  # a rank that meters nothing, because local rank 0 meters its node

    @property
    def measured(self) -> bool:
        """Whether an instrument stands behind the energy, not an assumption."""
        return self.source in ("nvml", "rapl")

    @property
    def kwh(self) -> float | None:
        """The energy in kWh."""
        return None if self.joules is None else self.joules / JOULES_PER_KWH

    def vector(self) -> list[float]:
        """Numbers whose element-wise sum over ranks is the vector of the whole job's reading (for an all-reduce)."""
        nodes = [float(self.source == kind and not self.absent) for kind in KINDS]
        unknown = [float(value is None) for value in (self.joules, self.watts)]
        seconds = [self.covered_seconds, self.bridged_seconds, self.uncovered_seconds]
        return [*nodes, *unknown, self.joules or 0.0, self.watts or 0.0, *seconds]

    @classmethod
    def from_vector(cls, vector: list[float]) -> Reading:
        """The reading of a summed vector: as good as its worst node, unknown when the energy of one node is."""
        nodes, (joules_unknown, watts_unknown, joules, watts, *seconds) = vector[: len(KINDS)], vector[len(KINDS) :]
        worst = max((i for i, count in enumerate(nodes) if count), default=len(KINDS) - 1)
        return cls(
            KINDS[worst],
            None if joules_unknown else joules,
            None if watts_unknown else watts,
            *seconds,
            absent=not any(nodes),
        )


ABSENT = Reading(None, 0.0, 0.0, absent=True)
