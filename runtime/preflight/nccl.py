"""Which transport NCCL really uses between nodes, from its own log: a wrong setting falls back to TCP in silence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ...spec.plan import Plan
from .check_result import CheckResult

_TRANSPORT = re.compile(r"via NET/([\w-]+)|Using network ([\w-]+)")
_RDMA = {"infiniband", "roce", "efa"}
# NCCL's own way without RDMA. Anything else is RDMA under some name: IB, IBext_v8 (HPC-X), UCX, AWS Libfabric, gIB.
_TCP = "NET/Socket"


def log_transports(folder: Path) -> None:
    """Make NCCL, which reads this when its first communicator is made, log its transports to a file in `folder`."""
    os.environ["NCCL_DEBUG"] = "INFO"
    os.environ["NCCL_DEBUG_SUBSYS"] = "INIT,NET,GRAPH"
    os.environ["NCCL_DEBUG_FILE"] = str(folder / "nccl.%h.%p.log")


def transports(folder: Path) -> set[str]:
    """Transports between nodes that NCCL's logs in `folder` name, e.g. `NET/IB`."""
    lines = (line for path in folder.glob("nccl.*.log") for line in path.read_text(errors="replace").splitlines())
    return transports_in(lines)


def transports_in(lines: Iterable[str]) -> set[str]:
    """Transports that lines of NCCL's log name; per-channel lines count more than the announcement."""
    found = [match for line in lines if (match := _TRANSPORT.search(line))]
    channels = {f"NET/{match.group(1)}" for match in found if match.group(1)}
    return channels or {f"NET/{match.group(2)}" for match in found}


def check_fabric(plan: Plan, seen: set[str]) -> list[CheckResult]:
    """Whether the planned fabric carries the traffic; nothing to say on CPU, on one node, or on plain Ethernet."""
    fabric = plan.device.interconnect
    if plan.device.kind == "cpu" or fabric not in _RDMA or plan.device.count == plan.device.per_node:
        return []
    shown = ", ".join(sorted(seen)) or "unknown"
    if not seen:
        return [CheckResult("fabric", "warn", shown, "NCCL's log names no transport: look at it by hand")]
    if _TCP in seen:
        remedy = "NCCL fell back: compare NCCL_IB_HCA in env.sh with `ibv_devices`, and look for a stray nccl.conf"
        return [CheckResult("fabric", "fail", f"{shown} instead of {fabric}", remedy)]
    return [CheckResult("fabric", "pass", f"{shown} on {fabric}")]
