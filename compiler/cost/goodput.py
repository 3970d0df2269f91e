"""The share of allocated time that trains: failures, restarts, lost work and checkpoint stalls."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ...spec.facts import facts

DAY = 86400.0
HOUR = 3600.0
STATE_BYTES = 14  # fp32 master and moments and 16-bit weights, written at each checkpoint


@dataclass(frozen=True, slots=True)
class Goodput:
    """Shares of time that train: expected, at worst, at best."""

    value: float
    low: float
    high: float


def _share(index: int, devices: int, nodes: int, size: float, interval: float | None) -> float:
    """Share that trains, with every factor taken at its low (0), usual (1) or high (2) published value."""
    table = facts("reliability")
    rate = table["failures_per_device_day"]["value"][index] * devices / DAY
    every = interval or table["checkpoint_hours"]["value"][index] * HOUR
    pace = table["checkpoint_bandwidth_gb_s"]["value"][2 - index] * 1e9 * min(nodes, 64)
    stall = size / pace
    lost = rate * (every / 2 + table["restart_seconds"]["value"][index]) + stall / every
    lost += table["other_share"]["value"][index]
    return 1 / (1 + lost)


def goodput(devices: int, per_node: int, parameters: int, interval: float | None) -> Goodput:
    """Expected share of time that trains on `devices`, saving every `interval` seconds (None: as is usual)."""
    nodes = ceil(devices / per_node)
    shares = [_share(index, devices, nodes, STATE_BYTES * parameters, interval) for index in range(3)]
    return Goodput(shares[1], shares[2], shares[0])
