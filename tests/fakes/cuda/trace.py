"""Reads a rank's log of the pretend CUDA: kernels, products, copies, synchronisations, collectives, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Trace:
    """Some consecutive lines of the log of one rank."""

    events: tuple[dict[str, Any], ...]

    def of(self, op: str, **fields: Any) -> list[dict[str, Any]]:
        """The events of one kind whose fields have these values."""
        return [e for e in self.events if e["op"] == op and all(e.get(k) == v for k, v in fields.items())]

    def kernels(self, part: str = "") -> list[str]:
        """Names (mangled) of the launched kernels that contain `part`, in order."""
        return [event["name"] for event in self.of("kernel") if part in event["name"]]

    def pageable_copies(self) -> list[dict[str, Any]]:
        """Copies between host and device that are not of pinned memory: each blocks the host."""
        return [e for e in self.of("copy") if e["direction"] in {"H2D", "D2H"} and not e["pinned"]]

    def collectives(self) -> list[dict[str, Any]]:
        """NCCL's calls, in order; `bytes` is what the whole group holds, `group` the communicator."""
        return self.of("collective")

    def split(self, mark: str) -> list[Trace]:
        """The parts between the marks of this name."""
        parts: list[list[dict[str, Any]]] = [[]]
        for event in self.events:
            if event["op"] == "mark" and event["name"] == mark:
                parts.append([])
            else:
                parts[-1].append(event)
        return [Trace(tuple(part)) for part in parts]

    def steps(self) -> list[Trace]:
        """Each optimizer step after the first (which belongs with the start), without what follows the last."""
        return self.split("step")[1:-1]

    def during(self, phase: str) -> Trace:
        """What comes after the marks of this name: forward, backward, update, or step (until the next forward)."""
        return Trace(tuple(event for found, event in self.phases() if found == phase))

    def phases(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every event with the mark that it follows. A part that `split` made begins after its mark, step."""
        phase = "step"
        for event in self.events:
            if event["op"] == "mark":
                phase = event["name"]
            else:
                yield phase, event


def read_trace(path: Path) -> Trace:
    """The log of one rank; a last line cut off by the end of the process is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return Trace(tuple(json.loads(line) for line in lines if line.endswith("}\n")))


def group_members(traces: list[Trace]) -> dict[str, tuple[int, ...]]:
    """The ranks of every communicator, in its own order."""
    members: dict[str, dict[int, int]] = {}
    for rank, trace in enumerate(traces):
        for event in trace.of("group"):
            members.setdefault(event["group"], {})[event["rank"]] = rank
    return {group: tuple(ranks[i] for i in sorted(ranks)) for group, ranks in members.items()}
