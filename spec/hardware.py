"""Devices by name: the typed view of `facts/gpus.yaml` that checks, planner, estimator and runtime share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from .facts import facts
from .gpu_description import LABEL, GpuDescription
from .problem import InputError
from .units import MIB


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


@cache
def _described(text: str) -> Gpu:
    """The device that a spec describes (as JSON); what it leaves out is assumed (`described` in the facts)."""
    device = GpuDescription.model_validate_json(text)
    assumed, power = facts("gpus")["described"], device.power
    return Gpu(
        name=f"{device.name} ({LABEL})",
        family=device.family,
        memory_bytes=device.memory,
        flops={precision: rate for precision, rate in device.peak if rate is not None},
        bandwidth=device.bandwidth,
        link=device.link or 0.0,
        pcie=device.pcie or assumed["pcie_gb_s"] * 1e9,
        sms=device.multiprocessors or assumed["sms"],
        l2_bytes=assumed["l2_mib"] * MIB,
        kernel=device.best_matmul or assumed["kernel"],
        power=Power(power.lowest, power.default, power.highest, power.idle) if power else None,
        source="the spec",
    )


def gpu_names() -> tuple[str, ...]:
    """Names of all devices of the table, aliases left out."""
    return tuple(facts("gpus")["devices"])


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z0-9]+", name.upper())


def gpus_called(name: str) -> tuple[str, ...]:
    """The devices of the table that a name may mean: all of its words begin one of theirs, the first is the same.

    `A100` and `a100-sxm` mean several, which differ in memory, power and links; `A100-SXM4-80GB` means one.
    """
    model, *rest = _words(name) or [""]
    return tuple(
        known
        for known in gpu_names()
        if known == name
        or (_words(known)[0] == model and all(any(own.startswith(word) for own in _words(known)[1:]) for word in rest))
    )


def gpu(name: str | GpuDescription) -> Gpu:
    """The device called `name` (or an alias of it), or described. Raises InputError naming the nearest known device."""
    return _described(name.model_dump_json()) if isinstance(name, GpuDescription) else _known(name)


@cache
def _known(name: str) -> Gpu:
    table = facts("gpus")
    exact = table["aliases"].get(name, name)
    if exact not in table["devices"]:
        near = get_close_matches(name, [*table["devices"], *table["aliases"]], n=3, cutoff=0.3)
        known = ", ".join(near or table["devices"])
        raise InputError.one(
            "TW209", f"unknown device {name!r}", f"known devices near that name: {known}", "cluster.gpu"
        )
    if exact != name:
        return _known(exact)
    return _gpu(exact, table["devices"][exact], table["sources"])
