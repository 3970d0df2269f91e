"""Seconds of collectives by formula: bandwidth by where the ranks sit, latency by how many there are."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from ...spec.facts import facts, figures
from .case import Hardware

OWN_ADAPTER = figures("planning")["own_adapter"]


@dataclass(frozen=True, slots=True)
class Group:
    """Ranks that talk to each other: how many, how many of them share a node, how far apart they are in rank order."""

    size: int
    per_node: int
    stride: int = 1

    @property
    def nodes(self) -> int:
        """Nodes that the group touches."""
        return ceil(self.size / self.per_node)


def group(machine: Hardware, size: int, stride: int) -> Group:
    """The group of `size` ranks that are `stride` apart in rank order."""
    return Group(size, max(1, min(size, machine.per_node // stride)) if stride < machine.per_node else 1, stride)


def _link(machine: Hardware, ranks: int) -> float:
    constants = figures("constants")["network"]
    if machine.gpu.link:
        usual = constants["link_of"].get(machine.gpu.family, constants["link"])
        return machine.gpu.link * (constants["pair"] if ranks == 2 else usual)
    return machine.gpu.pcie * constants["pcie"]


def _pcie(machine: Hardware, ranks: Group) -> float:
    """Bus bandwidth of a ring over PCIe in one node: inside a socket, or over both, which other rings may cross too."""
    share = figures("constants")["network"]["socket"]
    if ranks.size * ranks.stride <= share["devices"]:
        return machine.gpu.pcie * share["inside"]
    return machine.gpu.pcie * min(share["ring"], share["between"] / ranks.stride)


def _rails(machine: Hardware, ranks: Group) -> float:
    """Bytes/s between nodes: the line rate of the group's members, less where they share adapters with other groups."""
    alone = ranks.per_node in (1, machine.per_node) or machine.net >= OWN_ADAPTER * machine.gpu.pcie
    share = 1.0 if alone else machine.partial
    return ranks.per_node * machine.net * _fabric(machine)[0] * share


def _fabric(machine: Hardware) -> tuple[float, float]:
    row = facts("fabrics")["fabrics"][machine.fabric]
    return row["efficiency"], row["latency"]


def bandwidth(machine: Hardware, ranks: Group) -> float:
    """Bus bandwidth of a ring over the group, bytes/s: all rails of a node's members together, at most the link."""
    if ranks.nodes == 1 and machine.island and ranks.size > machine.island:
        return machine.island * machine.gpu.pcie * figures("constants")["network"]["boards"]
    if ranks.nodes == 1:
        return _link(machine, ranks.size) if machine.gpu.link else _pcie(machine, ranks)
    return min(_link(machine, ranks.per_node), _rails(machine, ranks))


def _ring_latency(machine: Hardware, ranks: Group) -> float:
    inside, outside = figures("constants")["network"]["hop"]
    outer = ranks.nodes if ranks.nodes > 1 else 0
    return (ranks.size - 1 - outer) * inside + outer * outside * _fabric(machine)[1]


def _tree_latency(machine: Hardware, ranks: Group) -> float:
    inside, outside = figures("constants")["network"]["hop"]
    between = 2 * log2(ranks.nodes) * outside * _fabric(machine)[1] if ranks.nodes > 1 else 0.0
    return between + 2 * (ranks.per_node - 1) * inside


def busy_seconds(machine: Hardware, ranks: Group, size: float) -> float:
    """What an all-gather of `size` bytes keeps a device's own memory and links busy, however slow the network is."""
    return size * (ranks.size - 1) / ranks.size / _link(machine, min(ranks.size, machine.per_node))


def gather_seconds(machine: Hardware, ranks: Group, size: float, calls: float = 1) -> float:
    """All-gather or reduce-scatter of `size` bytes in all, in `calls` calls: ring only."""
    if ranks.size == 1:
        return 0.0
    share = (ranks.size - 1) / ranks.size
    latency = _ring_latency(machine, ranks) + figures("constants")["network"]["call"]
    return size * share / bandwidth(machine, ranks) + calls * latency


def reduce_seconds(machine: Hardware, ranks: Group, size: float, calls: float = 1) -> float:
    """All-reduce of `size` bytes in all, in `calls` calls: ring or tree, whichever has the lower latency."""
    if ranks.size == 1:
        return 0.0
    share = 2 * (ranks.size - 1) / ranks.size
    latency = min(2 * _ring_latency(machine, ranks), _tree_latency(machine, ranks))
    return size * share / bandwidth(machine, ranks) + calls * (latency + figures("constants")["network"]["call"])


def exchange_seconds(machine: Hardware, ranks: Group, size: float) -> float:
    """All-to-all in which each rank holds `size` bytes."""
    if ranks.size == 1:
        return 0.0
    share = (ranks.size - 1) / ranks.size
    return size * share / bandwidth(machine, ranks) + figures("constants")["network"]["call"]


def send_seconds(machine: Hardware, stride: int, size: float) -> float:
    """One rank sends `size` bytes to the rank `stride` away."""
    near = stride < machine.per_node
    rate = _link(machine, 0) if near else machine.net * _fabric(machine)[0]
    inside, outside = figures("constants")["network"]["hop"]
    return size / rate + (inside if near else outside * _fabric(machine)[1]) + figures("constants")["network"]["call"]
