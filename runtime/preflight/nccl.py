"""Which transport NCCL really uses between nodes, from its own log: a wrong setting falls back to TCP in silence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from ...spec.plan import Plan
from .finding import Finding

_TRANSPORT = re.compile(r"via (NET/[A-Za-z]+)|Using network ([A-Za-z]+)")
_RDMA = {"infiniband": ("NET/IB",), "roce": ("NET/IB",), "efa": ("NET/OFI", "NET/AWS", "NET/Libfabric")}


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
    channels = {match.group(1) for match in found if match.group(1)}
    return channels or {f"NET/{match.group(2)}" for match in found}


def check_fabric(plan: Plan, seen: set[str]) -> list[Finding]:
    """Whether the planned fabric carries the traffic; nothing to say on CPU, on one node, or on plain Ethernet."""
    wanted = _RDMA.get(plan.device.interconnect)
    if plan.device.kind == "cpu" or wanted is None or plan.device.count == plan.device.per_node:
        return []
    shown = ", ".join(sorted(seen)) or "unknown"
    if not seen:
        return [Finding("fabric", "warn", shown, "NCCL's log names no transport: look at it by hand")]
    if any(name not in wanted for name in seen):
        remedy = "NCCL fell back: compare NCCL_IB_HCA in env.sh with `ibv_devices`, and look for a stray nccl.conf"
        return [Finding("fabric", "fail", f"{shown} instead of {plan.device.interconnect}", remedy)]
    return [Finding("fabric", "pass", f"{shown} on {plan.device.interconnect}")]
