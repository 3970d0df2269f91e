"""The share of allocated time that trains: failures, restarts, lost work and checkpoints; and how often to save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from ...spec.facts import figures
from ...spec.units import DAY, HOUR

LOW, USUAL, HIGH = range(3)  # of a fact's three values


@dataclass(frozen=True, slots=True)
class Goodput:
    """Shares of time that train: expected, at worst, at best; seconds between checkpoints, and the share they cost."""

    value: float
    low: float
    high: float
    interval: float
    saving: float


@dataclass(frozen=True, slots=True)
class Allocation:
    """What fails and is saved together: devices, how many are in a node, bytes of a checkpoint."""

    devices: int
    per_node: int
    checkpoint_bytes: float

    def failures(self, index: int) -> float:
        """Failures per second of all devices together."""
        return figures("reliability")["failures_per_device_day"][index] * self.devices / DAY

    def save_seconds(self, index: int) -> float:
        """Seconds for which a checkpoint stops training: a pause for all, and the state at the storage's rate."""
        table = figures("reliability")
        each = table["checkpoint_bandwidth_gb_s"][2 - index] * 1e9
        rate = min(each * ceil(self.devices / self.per_node), table["storage_gb_s"][2 - index] * 1e9)
        return table["checkpoint_pause_seconds"][index] + self.checkpoint_bytes / rate


def best_interval(run: Allocation) -> float:
    """Seconds between checkpoints that lose least: sqrt(2 x save x time between failures), at most some hours.

    J. W. Young, CACM 17 (9), 1974; J. T. Daly, Future Generation Computer Systems 22 (3), 2006, whose correction is
    below a second here.
    """
    best = sqrt(2 * run.save_seconds(USUAL) / run.failures(USUAL))
    return min(best, figures("reliability")["checkpoint_hours"][HIGH] * HOUR)


def _saving(run: Allocation, interval: float, failures: int, save: int) -> float:
    """Share of time that checkpoints cost: the saves, and the work that is lost to failures."""
    return run.save_seconds(save) / interval + run.failures(failures) * interval / 2


def _lost(run: Allocation, interval: float, levels: Sequence[int]) -> float:
    """Time lost for each second of training, with failures, restarts, saves and the rest each at one of its values."""
    failures, restart, save, other = levels
    table = figures("reliability")
    restarts = run.failures(failures) * table["restart_seconds"][restart]
    return _saving(run, interval, failures, save) + restarts + table["other_share"][other]


def _apart(run: Allocation, interval: float, level: int) -> float:
    """How far the loss lies from the usual one where each of its four causes, by itself, is at `level`."""
    usual = _lost(run, interval, (USUAL,) * 4)
    moved = [[level if i == cause else USUAL for i in range(4)] for cause in range(4)]
    return sqrt(sum((_lost(run, interval, levels) - usual) ** 2 for levels in moved))


def goodput(run: Allocation, interval: float | None) -> Goodput:
    """Expected share of time that trains, saving every `interval` seconds (None: as often as is best)."""
    every = interval or best_interval(run)
    lost = _lost(run, every, (USUAL,) * 4)
    worst, best = lost + _apart(run, every, HIGH), max(0.0, lost - _apart(run, every, LOW))
    return Goodput(1 / (1 + lost), 1 / (1 + worst), 1 / (1 + best), every, _saving(run, every, USUAL, USUAL))
