"""What the ranks find out together: clock skew, and the bandwidth of collectives against what the spec claims.

Bandwidth is the bus bandwidth of NVIDIA's nccl-tests, which does not depend on the number of ranks: bytes / seconds
x 2 (n - 1) / n for an all-reduce, x (n - 1) / n for an all-gather of that many bytes in all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from ...spec.plan import Plan
from ...spec.units import GIGA, MIB
from ..parallel.world import World
from .check_result import CheckResult

SIZES = {"cpu": (MIB, 16 * MIB), "cuda": (MIB, 16 * MIB, 128 * MIB)}
REPEATS = 5
SLOW_CALL = 0.5  # seconds: on such a link larger messages would take minutes, and show nothing new
EXPECTED = 0.5  # share of the claimed line rate below which something is wrong, not merely imperfect
SKEW = 1.0  # seconds between clocks that make logs and events misleading


@dataclass(frozen=True, slots=True)
class Measured:
    """Bus bandwidth by message size, in bytes a second: the slowest of all groups."""

    operation: str
    rates: dict[int, float]


def check_clocks(world: World) -> CheckResult:
    """How far the nodes' clocks are apart, asked for at about the same moment."""
    world.barrier()
    times = world.all_gather_object(time.time())
    skew = max(times) - min(times)
    if skew > SKEW:
        return CheckResult("clocks", "warn", f"{skew:.1f} s apart", "run a time service (chrony, ntpd) on every node")
    return CheckResult("clocks", "pass", f"{skew * 1000:.0f} ms apart")


def check_bandwidth(plan: Plan, world: World) -> list[CheckResult]:
    """All-reduce and all-gather inside a node and across nodes, where there is more than one rank to talk to."""
    per_node = plan.device.per_node
    inside = [list(range(first, first + per_node)) for first in range(0, world.size, per_node)]
    across = [list(range(local, world.size, per_node)) for local in range(per_node)]
    kinds = [
        ("inside a node", inside, plan.device.link_bandwidth),
        ("across nodes", across, plan.device.fabric_bandwidth),
    ]
    return [
        _against_claim(f"{measured.operation}, {where}", measured, claim)
        for where, groups, claim in kinds
        if len(groups[0]) > 1
        for measured in _measure(world, groups)
    ]


def _against_claim(name: str, measured: Measured, claim: float | None) -> CheckResult:
    rates = ", ".join(f"{size // MIB} MiB {rate / GIGA:.3g} GB/s" for size, rate in measured.rates.items())
    best = max(measured.rates.values())
    if claim is None:
        return CheckResult(name, "pass", rates)
    seen = f"{rates}; claimed {claim / GIGA:.3g} GB/s"
    if best < EXPECTED * claim:
        remedy = "the wrong interface or TCP instead of RDMA (see env.sh), or a slow link"
        return CheckResult(name, "warn", seen, remedy)
    return CheckResult(name, "pass", seen)


def _measure(world: World, groups: list[list[int]]) -> list[Measured]:
    group, _ = distributed.new_subgroups_by_enumeration(groups)
    count = len(groups[0])
    tests: list[tuple[str, Callable[[Any], object], float]] = [
        ("all-reduce", lambda data: _reduce(data, group), 2 * (count - 1) / count),
        ("all-gather", lambda data: _gather(data, count, group), (count - 1) / count),
    ]
    return [Measured(name, _rates(world, call, share)) for name, call, share in tests]


def _rates(world: World, call: Callable[[Any], object], share: float) -> dict[int, float]:
    """Bus bandwidth by message size, up to the first size that takes too long."""
    rates: dict[int, float] = {}
    for size in SIZES[world.device.type]:
        rate = _slowest(world, call, size)
        rates[size] = rate * share
        if size / rate > SLOW_CALL:
            break
    return rates


def _reduce(data: Any, group: Any) -> None:
    distributed.all_reduce(data, group=group)


def _gather(data: Any, count: int, group: Any) -> None:
    whole = data[: data.numel() // count * count]
    distributed.all_gather(list(whole.chunk(count)), whole[: whole.numel() // count].clone(), group=group)


def _slowest(world: World, call: Callable[[Any], object], size: int) -> float:
    """Bytes a second of the slowest group for messages of `size` bytes."""
    data = torch.zeros(size // 4, dtype=torch.float32, device=world.device)
    call(data)  # the first call makes the connections
    _settle(world)
    started = time.perf_counter()
    for _ in range(REPEATS):
        call(data)
    _settle(world)
    return REPEATS * size / max(world.all_gather_object(time.perf_counter() - started))


def _settle(world: World) -> None:
    if world.device.type == "cuda":
        torch.cuda.synchronize()
    world.barrier()
