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


def group(hardware: Hardware, size: int, stride: int) -> Group:
    """The group of `size` ranks that are `stride` apart in rank order."""
    return Group(size, max(1, min(size, hardware.per_node // stride)) if stride < hardware.per_node else 1, stride)


def _link(hardware: Hardware, ranks: int) -> float:
    constants = figures("constants")["network"]
    if hardware.gpu.link:
        usual = constants["link_of"].get(hardware.gpu.family, constants["link"])
        return hardware.gpu.link * (constants["pair"] if ranks == 2 else usual)
    return hardware.gpu.pcie * constants["pcie"]


def _pcie(hardware: Hardware, ranks: Group) -> float:
    """Bus bandwidth of a ring over PCIe in one node: inside a socket, or over both, which other rings may cross too."""
    share = figures("constants")["network"]["socket"]
    if ranks.size * ranks.stride <= share["devices"]:
        return hardware.gpu.pcie * share["inside"]
    return hardware.gpu.pcie * min(share["ring"], share["between"] / ranks.stride)


def _rails(hardware: Hardware, ranks: Group) -> float:
    """Bytes/s between nodes: the line rate of the group's members, less where they share adapters with other groups."""
    alone = ranks.per_node in (1, hardware.per_node) or hardware.net >= OWN_ADAPTER * hardware.gpu.pcie
    share = 1.0 if alone else hardware.partial
    return ranks.per_node * hardware.net * _fabric(hardware)[0] * share


def _fabric(hardware: Hardware) -> tuple[float, float]:
    row = facts("fabrics")["fabrics"][hardware.fabric]
    return row["efficiency"], row["latency"]


def bandwidth(hardware: Hardware, ranks: Group) -> float:
    """Bus bandwidth of a ring over the group, bytes/s: all rails of a node's members together, at most the link."""
    if ranks.nodes == 1 and hardware.island and ranks.size > hardware.island:
        return hardware.island * hardware.gpu.pcie * figures("constants")["network"]["boards"]
    if ranks.nodes == 1:
        return _link(hardware, ranks.size) if hardware.gpu.link else _pcie(hardware, ranks)
    return min(_link(hardware, ranks.per_node), _rails(hardware, ranks))


def _ring_latency(hardware: Hardware, ranks: Group) -> float:
    inside, outside = figures("constants")["network"]["hop"]
    outer = ranks.nodes if ranks.nodes > 1 else 0
    return (ranks.size - 1 - outer) * inside + outer * outside * _fabric(hardware)[1]


def _tree_latency(hardware: Hardware, ranks: Group) -> float:
    inside, outside = figures("constants")["network"]["hop"]
    between = 2 * log2(ranks.nodes) * outside * _fabric(hardware)[1] if ranks.nodes > 1 else 0.0
    return between + 2 * (ranks.per_node - 1) * inside


def busy_seconds(hardware: Hardware, ranks: Group, size: float) -> float:
    """What an all-gather of `size` bytes keeps a device's own memory and links busy, however slow the network is."""
    return size * (ranks.size - 1) / ranks.size / _link(hardware, min(ranks.size, hardware.per_node))


def gather_seconds(hardware: Hardware, ranks: Group, size: float, calls: float = 1) -> float:
    """All-gather or reduce-scatter of `size` bytes in all, in `calls` calls: ring only."""
    if ranks.size == 1:
        return 0.0
    share = (ranks.size - 1) / ranks.size
    latency = _ring_latency(hardware, ranks) + figures("constants")["network"]["call"]
    return size * share / bandwidth(hardware, ranks) + calls * latency


def reduce_seconds(hardware: Hardware, ranks: Group, size: float, calls: float = 1) -> float:
    """All-reduce of `size` bytes in all, in `calls` calls: ring or tree, whichever has the lower latency."""
    if ranks.size == 1:
        return 0.0
    share = 2 * (ranks.size - 1) / ranks.size
    latency = min(2 * _ring_latency(hardware, ranks), _tree_latency(hardware, ranks))
    return size * share / bandwidth(hardware, ranks) + calls * (latency + figures("constants")["network"]["call"])


def exchange_seconds(hardware: Hardware, ranks: Group, size: float) -> float:
    """All-to-all in which each rank holds `size` bytes."""
    if ranks.size == 1:
        return 0.0
    share = (ranks.size - 1) / ranks.size
    return size * share / bandwidth(hardware, ranks) + figures("constants")["network"]["call"]


def send_seconds(hardware: Hardware, stride: int, size: float) -> float:
    """One rank sends `size` bytes to the rank `stride` away."""
    near = stride < hardware.per_node
    rate = _link(hardware, 0) if near else hardware.net * _fabric(hardware)[0]
    inside, outside = figures("constants")["network"]["hop"]
    return size / rate + (inside if near else outside * _fabric(hardware)[1]) + figures("constants")["network"]["call"]
