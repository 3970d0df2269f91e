"""Turn a published run, as its row describes it, into a `Case`; whatever a row does not say gets a documented default.

Defaults are data (`facts/software.yaml`: frameworks, networks); a row that lacks what no default can give is `Skipped`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..spec.facts import facts
from ..spec.hardware import Gpu, gpu, gpu_names
from ..spec.layout import Layout, Recompute
from ..spec.problem import InputError
from ..spec.shape import ModelShape
from .cost.case import Case, Machine, Profile, Work, profile

Row = Mapping[str, Any]
GBPS = 1e9 / 8
GIGA = 1e9


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
    memory = f"{row['gpu_mem_gb']}GB" if row.get("gpu_mem_gb") else ""
    form = "PCIE" if "PCI" in name.upper() else ""
    near = [known for known in gpu_names() if family and known.startswith(family[0])]
    near.sort(key=lambda known: (bool(form) != (form in known), memory not in known))
    if not near:
        raise Skipped(f"device {name!r} is not in the table")
    return gpu(near[0])


def needed(row: Row, *keys: str) -> None:
    """Raise Skipped unless the row holds all of `keys`."""
    missing = [key for key in keys if row.get(key) is None]
    if missing:
        raise Skipped(f"the row does not say {', '.join(missing)}")


def shape(row: Row) -> ModelShape:
    """The model's sizes."""
    needed(row, "layers", "hidden", "heads")
    hidden, heads = int(row["hidden"]), int(row["heads"])
    gated = bool(row.get("mlp_gated"))
    framework = str(row.get("framework") or "")
    plain = not gated and "llm-foundry" not in framework
    return ModelShape(
        layers=int(row["layers"]),
        hidden_size=hidden,
        ffn_size=int(row.get("ffn") or 4 * hidden),
        heads=heads,
        kv_heads=int(row.get("kv_heads") or heads),
        vocab_size=int(row.get("vocab") or facts("software")["defaults"]["vocabulary"]),
        gated=gated,
        tied_embeddings=bool(row.get("tied_embeddings", not gated)),
        biases=plain,
        learned_positions=int(row["seq_len"]) if not gated else 0,
    )


def software(row: Row) -> Profile:
    """The software profile of a row's framework."""
    text = f"{row.get('framework') or ''} {'compile' if row.get('compiled') else ''} {row.get('sharding') or ''}"
    for rule in facts("software")["frameworks"]:
        if re.search(rule["pattern"], text, re.IGNORECASE) and row.get("flash_attn", True) in rule.get(
            "flash", [True, False, None]
        ):
            return profile(rule["profile"])
    return profile(facts("software")["defaults"]["profile"])


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
    return Machine(device, per_node, float(gbps) * GBPS, fabric, float(cap) if cap else None)


def _shard_group(row: Row) -> int:
    text = str(row.get("sharding") or "")
    if ("HSDP" in text and "FSDP/" not in text) or "node-local" in text:
        return int(row.get("gpus_per_node") or 8)
    found = re.search(r"over (\d+) ranks", text)
    return int(found[1]) if found else 0


def layout(row: Row, batch: int) -> Layout:
    """The parallel layout; what the row leaves open is filled in as a practitioner would."""
    needed(row, "gpus")
    tensor, pipeline, context = (int(row.get(key) or 1) for key in ("tp", "pp", "cp"))
    data = int(row.get("dp") or int(row["gpus"]) // (tensor * pipeline * context))
    micro = int(row.get("micro_batch") or (1 if pipeline > 1 else max(1, min(batch // data, 4))))
    kept: dict[str, Recompute] = {"none": "none", "full": "full"}
    recompute = kept.get(str(row.get("act_ckpt")), "selective" if row.get("act_ckpt") else "none")
    zero = row.get("zero_stage")
    return Layout(
        data=data,
        tensor=tensor,
        pipeline=pipeline,
        context=context,
        interleave=int(row.get("vpp") or 1),
        zero=1 if zero is None else zero,
        shard_group=_shard_group(row),
        micro_batch=micro,
        accumulation=max(1, batch // (data * micro)),
        recompute=recompute,
        megatron_sequence=bool(row.get("sequence_parallel")),
    )


def case(row: Row) -> Case:
    """Everything together. Raises Skipped with the reason when the row says too little."""
    needed(row, "seq_len")
    chip = device(row)
    model = shape(row)
    precision = str(row.get("precision") or "bf16")
    if precision not in chip.flops:
        precision = "fp16" if "fp16" in chip.flops else "bf16"
    sequence = int(row["seq_len"])
    batch = int(row.get("gbs_seqs") or 0) or int(row.get("gbs_tokens") or 0) // sequence
    if not batch:
        raise Skipped("the row does not say the global batch")
    work = Work(model, sequence, batch, precision)
    return Case(work, layout(row, batch), machine(row, chip), software(row))
