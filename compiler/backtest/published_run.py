"""Turn a published run, as its row describes it, into a `Case`; whatever a row does not say gets a documented default.

Defaults are data (`facts/software.yaml`: frameworks, networks); a row that lacks what no default can give is `Skipped`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from ...spec.facts import facts
from ...spec.hardware import Gpu, gpu, gpu_names
from ...spec.problem import InputError
from ...spec.shape import ModelShape
from ..cost.case import Case, Machine, Work
from ..cost.power import capped
from .run_fit import fitted
from .run_layout import devices, layout, on_host
from .run_software import software

Row = Mapping[str, Any]
GBPS = 1e9 / 8
PADDING = 128  # Megatron-LM: --make-vocab-size-divisible-by


class Skipped(Exception):  # noqa: N818 - not an error: a row that says too little to be predicted
    """A row cannot be predicted; the message is the reason."""


def device(row: Row) -> Gpu:
    """The device that a row names, by the nearest family, form and memory of the table."""
    name = str(row.get("gpu") or "")
    try:
        return gpu(name)
    except InputError:
        pass
    family = re.match(r"[A-Za-z]+\d+", name)
    near = [gpu(known) for known in gpu_names() if family and known.startswith(family[0])]
    if not near:
        raise Skipped(f"device {name!r} is not in the table")
    memory = f"{row['gpu_mem_gb']}GB" if row.get("gpu_mem_gb") else ""
    watts = re.search(r"(\d+) ?W", name)

    def distance(known: Gpu) -> tuple[bool, bool, bool]:
        limit = known.power.default if known.power else 0
        return (
            bool(watts) and float(watts[1] if watts else 0) != limit,
            ("PCI" in name) != ("PCI" in known.name),
            memory not in known.name,
        )

    return min(near, key=distance)


def needed(row: Row, *keys: str) -> None:
    """Raise Skipped unless the row holds all of `keys`."""
    missing = [key for key in keys if row.get(key) is None]
    if missing:
        raise Skipped(f"the row does not say {', '.join(missing)}")


def _vocabulary(row: Row, framework: str) -> int:
    """Rows of the embedding; Megatron pads them to whole tiles on each rank."""
    size = int(row.get("vocab") or facts("software")["defaults"]["vocabulary"])
    if "Megatron" not in framework:
        return size
    step = PADDING * int(row.get("tp") or 1)
    return ceil(size / step) * step


def shape(row: Row) -> ModelShape:
    """The model's sizes."""
    needed(row, "layers", "hidden", "heads")
    hidden, heads = int(row["hidden"]), int(row["heads"])
    if hidden < heads:
        raise Skipped(f"{heads} heads do not fit a width of {hidden}")
    gated = bool(row.get("mlp_gated"))
    framework = str(row.get("framework") or "")
    plain = not gated and "llm-foundry" not in framework
    return ModelShape(
        layers=int(row["layers"]),
        hidden_size=hidden,
        ffn_size=int(row.get("ffn") or 4 * hidden),
        heads=heads,
        kv_heads=int(row.get("kv_heads") or heads),
        vocab_size=_vocabulary(row, framework),
        gated=gated,
        tied_embeddings=bool(row.get("tied_embeddings", not gated)),
        biases=plain,
        learned_positions=int(row["seq_len"]) if not gated else 0,
    )


def machine(row: Row, device: Gpu) -> Machine:
    """Node size, network and cap."""
    defaults = facts("software")["networks"]
    described = str(row.get("net_type") or "").lower()
    fabric = next((kind for word, kind in defaults["words"].items() if word in described), defaults["fabric"])
    per_node = int(row.get("gpus_per_node") or 8)
    gbps = row.get("net_gbps_per_gpu") or defaults["gbps"].get(device.family, 100) * (
        4 / per_node if device.family == "volta" else 1
    )
    cap = row.get("gpu_power_cap_w")
    island = next((size for word, size in defaults["islands"].items() if word in described), 0)
    return Machine(
        device, per_node, float(gbps) * GBPS, fabric, float(cap) if cap else None, island=min(island, per_node)
    )


def _precision(row: Row, chip: Gpu) -> str:
    """The arithmetic that a row names; 16-bit types run at one speed, so a device without bf16 is taken at fp16."""
    said = str(row.get("precision") or "bf16").lower()
    found = next((known for known in ("fp8", "bf16", "fp16", "fp32") if known in said), None)
    if found == "bf16" and found not in chip.flops:
        found = "fp16"
    if found is None or found not in chip.flops:
        raise Skipped(f"{chip.name} has no {said} arithmetic in the table")
    return found


def case(row: Row) -> Case:
    """Everything together. Raises Skipped with the reason when the row says too little."""
    needed(row, "seq_len")
    chip, model = device(row), shape(row)
    precision = _precision(row, chip)
    stack, usual = software(row, chip.family)
    count = devices(row, model, chip, chip.flops[precision])
    if count is None:
        raise Skipped("the row says neither gpus nor the global batch")
    spread = layout(row, stack, usual, count)
    where = machine(row, chip)
    limited = capped(chip, where.power_cap)
    if limited and limited.speed <= 0:
        raise Skipped(f"a cap of {where.power_cap:g} W is below what a {chip.name} can run at")
    asked = Case(
        Work(model, int(row["seq_len"]), spread.global_batch, precision),
        spread,
        replace(where, net=where.net * stack.rails, partial=stack.partial),
        stack,
        limited.speed if limited else 1.0,
        on_host(row),
    )
    return fitted(row, asked)
