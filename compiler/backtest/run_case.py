"""A published run as the `StepCase` that the cost model answers; what its row leaves open gets a documented default.

Defaults are data (`facts/software.yaml`: frameworks, networks); a row that lacks what no default can give is `Skipped`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import ceil

from ...spec.facts import figures
from ...spec.hardware import Gpu, gpu, gpu_names
from ...spec.problem import InputError
from ...spec.shape import ModelShape
from ..cost.case import Hardware, StepCase, Workload
from ..cost.power import operating_point
from .published_run import PublishedRun, UnusableRow
from .run_fit import fitted
from .run_layout import devices, layout, on_host
from .run_software import software

GBPS = 1e9 / 8


def device(row: PublishedRun) -> Gpu:
    """The device that a row names, by the nearest family, form and memory of the table."""
    name = str(row.gpu or "")
    try:
        return gpu(name)
    except InputError:
        pass
    family = re.match(r"[A-Za-z]+\d+", name)
    near = [gpu(known) for known in gpu_names() if family and known.startswith(family[0])]
    if not near:
        raise UnusableRow(f"device {name!r} is not in the table")
    memory = f"{row.gpu_mem_gb}GB" if row.gpu_mem_gb else ""
    watts = re.search(r"(\d+) ?W", name)

    def distance(known: Gpu) -> tuple[bool, bool, bool]:
        limit = known.power.default if known.power else 0
        return (
            bool(watts) and float(watts[1] if watts else 0) != limit,
            ("PCI" in name) != ("PCI" in known.name),
            memory not in known.name,
        )

    return min(near, key=distance)


def _vocabulary(row: PublishedRun, framework: str) -> int:
    """Rows of the embedding; Megatron pads them to whole tiles on each rank."""
    size = int(row.vocab_size or figures("software")["defaults"]["vocabulary"])
    if "Megatron" not in framework:
        return size
    return padded(size, row.tensor or 1)


def padded(size: int, tensor: int) -> int:
    """Rows of an embedding of `size` tokens as Megatron-LM pads it over `tensor` ranks."""
    step = figures("software")["defaults"]["padding"] * tensor
    return ceil(size / step) * step


def shape(row: PublishedRun) -> ModelShape:
    """The model's sizes."""
    hidden, heads = row.known("hidden_size"), row.known("heads")
    if hidden < heads:
        raise UnusableRow(f"{heads} heads do not fit a width of {hidden}")
    gated = bool(row.mlp_gated)
    framework = str(row.framework or "")
    plain = not gated and "llm-foundry" not in framework
    return ModelShape(
        layers=row.known("layers"),
        hidden_size=hidden,
        ffn_size=row.ffn_size or 4 * hidden,
        heads=heads,
        kv_heads=row.kv_heads or heads,
        vocab_size=_vocabulary(row, framework),
        gated=gated,
        tied_embeddings=not gated if row.tied_embeddings is None else row.tied_embeddings,
        biases=plain,
        learned_positions=row.known("sequence_length") if not gated else 0,
    )


def hardware(row: PublishedRun, device: Gpu) -> Hardware:
    """Node size, network and cap."""
    defaults = figures("software")["networks"]
    described = str(row.net_type or "").lower()
    fabric = next((kind for word, kind in defaults["words"].items() if word in described), defaults["fabric"])
    per_node = row.gpus_per_node or figures("software")["defaults"]["node"]
    each = defaults["gbps"].get(device.family, defaults["gbps"]["other"])
    usual = each * defaults["sharing"].get(device.family, per_node) / per_node * GBPS
    island = next((size for word, size in defaults["islands"].items() if word in described), 0)
    rate = row.bandwidth_per_gpu or usual
    return Hardware(device, per_node, rate, fabric, row.power_cap, island=min(island, per_node))


def _precision(row: PublishedRun, chip: Gpu) -> str:
    """The arithmetic that a row names; 16-bit types run at one speed, so a device without bf16 is taken at fp16."""
    said = str(row.precision or "bf16").lower()
    found = next((known for known in ("fp8", "bf16", "fp16", "fp32") if known in said), None)
    if found == "bf16" and found not in chip.flops:
        found = "fp16"
    if found is None or found not in chip.flops:
        raise UnusableRow(f"{chip.name} has no {said} arithmetic in the table")
    return found


def case(row: PublishedRun) -> StepCase:
    """Everything together. Raises Skipped with the reason when the row says too little."""
    sequence = row.known("sequence_length")
    chip, model = device(row), shape(row)
    precision = _precision(row, chip)
    stack, usual = software(row, chip.family)
    count = devices(row, model, chip, chip.flops[precision])
    if count is None:
        raise UnusableRow("the row says neither gpus nor the global batch")
    spread = layout(row, stack, usual, count)
    where = hardware(row, chip)
    limited = operating_point(chip, where.power_cap)
    if limited and limited.speed <= 0:
        raise UnusableRow(f"a cap of {where.power_cap:g} W is below what a {chip.name} can run at")
    asked = StepCase(
        Workload(model, sequence, spread.global_batch, precision),
        spread,
        replace(where, net=where.net * stack.rails, partial=stack.partial),
        stack,
        limited.speed if limited else 1.0,
        on_host(row),
    )
    return fitted(row, asked)
