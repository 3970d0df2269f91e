"""The preflight of several ranks, started by a launcher: each node's findings, then what they find together."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...spec.plan import Plan
from ..parallel.world import World, destroy_process_group, init_process_group
from . import nccl
from .bandwidth import check_bandwidth, check_clocks
from .check_result import STATES, CheckResult
from .devices import check_devices
from .machine import check_machine


def check_all_nodes(plan: Plan, run: Path) -> tuple[int, list[CheckResult]]:
    """This rank and the findings of all; every rank gets the same.

    Where this node lacks the devices nothing can be joined: its first rank alone speaks, and fails, as a launcher ends
    all others with the first one that fails.
    """
    if any(finding.state == "fail" for finding in check_devices(plan)):
        local_rank = int(os.environ["LOCAL_RANK"])
        return local_rank, check_machine(plan, run) if local_rank == 0 else []
    with tempfile.TemporaryDirectory(prefix="trainwright-nccl-") as folder:
        nccl.log_transports(Path(folder))
        world = init_process_group(plan)
        try:
            own = check_machine(plan, run) if world.local_rank == 0 else []
            nodes = [entry for entry in world.all_gather_object((socket.gethostname(), own)) if entry[1]]
            shared = [check_clocks(world), *check_bandwidth(plan, world), *_fabric(plan, world, Path(folder))]
        finally:
            destroy_process_group()
    return world.rank, [*worst_findings(nodes), *shared]


def _fabric(plan: Plan, world: World, folder: Path) -> list[CheckResult]:
    seen: set[str] = set()
    return nccl.check_fabric(plan, seen.union(*world.all_gather_object(nccl.transports(folder))))


def worst_findings(nodes: Sequence[tuple[str, Sequence[CheckResult]]]) -> list[CheckResult]:
    """One finding a check: the worst of all nodes, saying where when the nodes differ."""
    names = dict.fromkeys(finding.name for _, findings in nodes for finding in findings)
    return [_worst(name, nodes) for name in names]


def _worst(name: str, nodes: Sequence[tuple[str, Sequence[CheckResult]]]) -> CheckResult:
    found = [(host, finding) for host, findings in nodes for finding in findings if finding.name == name]
    host, worst = max(found, key=lambda item: STATES.index(item[1].state))
    same = sum(finding.state == worst.state for _, finding in found)
    if worst.state == "pass":
        return replace(worst, seen=worst.seen if len(found) == 1 else f"{worst.seen} (all {len(found)} nodes)")
    return replace(worst, seen=f"{host}: {worst.seen}" + (f" (and {same - 1} more)" if same > 1 else ""))
