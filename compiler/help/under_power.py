"""How to spend a site's power: every number of devices under every power cap that stays within it, each planned anew.

More devices under a lower cap draw the same and can finish earlier, because a device loses less speed than power. In: a
spec. Out: `ScalingPoint` values, and which of them to take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Literal

from ...spec.estimate import Estimate
from ...spec.facts import figures
from ...spec.hardware import gpu
from ...spec.problem import InputError
from ...spec.scaling import ScalingPoint, Setup
from ...spec.sections import Cluster
from ..load import Loaded
from .scaling import scaling

Goal = Literal["finish", "carbon"]
CAP_STEP: int = figures("planning")["cap_step"]  # W between the caps that are tried
DOUBLINGS = 1  # below the most devices that a cap allows


def caps_of(cluster: Cluster) -> list[float]:
    """Caps from the device's lowest to its highest. Raises InputError (TW875) where it takes none."""
    power = gpu(cluster.gpu).power
    if power is None:
        message = f"{cluster.gpu} takes no power cap, so there is nothing to choose"
        raise InputError.one("TW875", message, "Name a cluster of GPUs.", "cluster.gpu")
    first = ceil(power.lowest / CAP_STEP) * CAP_STEP
    inner = range(first, int(power.highest) + 1, CAP_STEP)
    return sorted({power.lowest, *map(float, inner), power.highest})


def counts_under(cluster: Cluster, watts: float, cap: float) -> list[int]:
    """Numbers of the cluster's devices, in whole nodes, that draw at most `watts` under `cap`; the largest first."""
    most = min(cluster.gpus, int(watts / cap))
    if most > cluster.gpus_per_node:
        most -= most % cluster.gpus_per_node
    leading = figures("planning")["device_counts"]
    round_counts = {lead << shift for lead in leading for shift in range(most.bit_length())}
    whole = [n for n in round_counts if n < most and (n % cluster.gpus_per_node == 0 or n < cluster.gpus_per_node)]
    return [n for n in sorted({most, *whole}, reverse=True) if n * 2**DOUBLINGS >= most > 0]


def under_power(loaded: Loaded, stack: str | None = None) -> Iterator[ScalingPoint]:
    """The estimate of each number of devices under each cap that `limits.site_power` allows.

    Raises InputError (TW875) where the spec has no such limit, or devices that take no cap.
    """
    cluster, limits = loaded.spec.cluster, loaded.spec.limits
    if limits is None or limits.site_power is None:
        remedy = "Write it into the spec, or add --set limits.site_power=205kW."
        raise InputError.one("TW875", "--under needs `limits.site_power`", remedy, "limits")
    for cap in caps_of(cluster):
        sizes = counts_under(cluster, limits.site_power, cap)
        for point in scaling(loaded, sizes, [Setup(cluster.interconnect.kind, cap)], stack):
            yield _with_its_batch(point, loaded.spec.training.requested_sequences)


def _with_its_batch(point: ScalingPoint, wanted: float) -> ScalingPoint:
    """The point, without its estimate where its layout makes another batch than a run may (TW317)."""
    made = point.estimate.sequences_per_step if point.estimate else None
    if made is None or abs(made / wanted - 1) <= figures("sanity")["batch_tolerance"]:
        return point
    return replace(point, estimate=None, reason=f"{made:,} sequences a step, not {wanted:,.0f}")


def _keeps(found: Estimate) -> bool:
    return not any(limit.found and limit.found.value > limit.most for limit in found.limits)


def best_point(points: Sequence[ScalingPoint], goal: Goal) -> ScalingPoint | None:
    """The point that finishes first, or emits least, of those whose prediction keeps every limit; None without any."""
    known = [(point, point.estimate) for point in points if point.estimate and _keeps(point.estimate)]

    def rank(found: Estimate) -> tuple[float, float]:
        days, carbon = (each.value if each else float("inf") for each in (found.days, found.carbon_tonnes))
        return (days, carbon) if goal == "finish" else (carbon, days)

    return min(known, key=lambda pair: rank(pair[1]))[0] if known else None
