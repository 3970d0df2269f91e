"""Devices by name: the typed view of `facts/gpus.yaml` that checks, planner, estimator and runtime share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from .facts import facts
from .problem import InputError

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Power:
    """What a device draws and may be capped to, in watts."""

    lowest: float
    default: float
    highest: float
    idle: float


@dataclass(frozen=True, slots=True, eq=False)  # one instance a name: identity is equality, and hashes fast
class Gpu:
    """One device. FLOP/s, bytes, bytes per second (one direction), watts; `None` is unknown.

    `link` is NVLink to all peers together (0: none), `kernel` the share of the peak that the best measured matmul
    reaches.
    """

    name: str
    family: str
    memory_bytes: int | None
    flops: Mapping[str, float]
    bandwidth: float
    link: float
    pcie: float
    sms: int
    l2_bytes: int
    kernel: float
    power: Power | None
    source: str

    def peak(self, precision: str) -> float | None:
        """Peak FLOP/s in `precision` (bf16, fp16, fp8, fp32), or None where the device has no such arithmetic."""
        return self.flops.get(precision)


def _gpu(name: str, row: Mapping[str, Any], sources: Mapping[str, str]) -> Gpu:
    return Gpu(
        name=name,
        family=row["family"],
        memory_bytes=row["memory_mib"] * MIB if row["memory_mib"] else None,
        flops={precision: tera * 1e12 for precision, tera in row["flops"].items()},
        bandwidth=row["bandwidth_gb_s"] * 1e9,
        link=row["link_gb_s"] * 1e9,
        pcie=row["pcie_gb_s"] * 1e9,
        sms=row["sms"],
        l2_bytes=row["l2_mib"] * MIB,
        kernel=row["kernel"],
        power=Power(*row["power_w"]) if row["power_w"] else None,
        source=sources[row["source"]],
    )


def gpu_names() -> tuple[str, ...]:
    """Names of all devices of the table, aliases left out."""
    return tuple(facts("gpus")["devices"])


@cache
def gpu(name: str) -> Gpu:
    """The device called `name` (or an alias of it). Raises InputError naming the nearest known device."""
    table = facts("gpus")
    exact = table["aliases"].get(name, name)
    if exact not in table["devices"]:
        near = get_close_matches(name, [*table["devices"], *table["aliases"]], n=3, cutoff=0.3)
        known = ", ".join(near or table["devices"])
        raise InputError.one(
            "TW209", f"unknown device {name!r}", f"known devices near that name: {known}", "cluster.gpu"
        )
    if exact != name:
        return gpu(exact)
    return _gpu(exact, table["devices"][exact], table["sources"])
