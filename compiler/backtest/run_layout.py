"""The parallel layout of a published run; what its row leaves open is filled in as a practitioner would.

Defaults are data (`facts/software.yaml`: defaults).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil, log2
from typing import Any

from ...spec.facts import facts
from ...spec.hardware import Gpu
from ...spec.layout import ActivationCheckpointing, Layout, Offload
from ...spec.shape import ModelShape
from ..cost.case import Profile

Row = Mapping[str, Any]
DAY = 86400.0
BILLION = 1e9


def says(row: Row, key: str, pattern: str) -> bool:
    """Whether the text under `key` matches `pattern`."""
    return re.search(pattern, str(row.get(key) or ""), re.IGNORECASE) is not None


def batch(row: Row) -> int | None:
    """Sequences of one optimizer step, where the row says."""
    return int(row.get("gbs_seqs") or 0) or int(row.get("gbs_tokens") or 0) // int(row["seq_len"]) or None


def devices(row: Row, shape: ModelShape, chip: Gpu, peak: float) -> int | None:
    """Devices of the run; None where the row tells neither their number nor its batch.

    With the batch alone: as many whole nodes, doubled at will, as hold the state and end the run in good time.
    """
    if row.get("gpus"):
        return int(row["gpus"])
    sequences = batch(row)
    if sequences is None:
        return None
    usual, node = facts("software")["defaults"], int(row.get("gpus_per_node") or 8)
    room = usual["state_share"] * chip.memory_bytes if chip.memory_bytes else float("inf")
    flops = shape.training_flops(int(row["seq_len"])) * float(row.get("tokens_trained_b") or 0) * BILLION
    least = max(usual["state_bytes"] * shape.parameters / room, flops / (usual["mfu"] * peak * usual["days"] * DAY))
    nodes = max(1, least / node)
    return max(1, min(sequences, node * 2 ** ceil(log2(nodes))))


def _shard_group(row: Row) -> int:
    """Ranks over which ZeRO shards, from the words of a row; 0: all."""
    text = str(row.get("sharding") or "")
    found = re.search(r"over (\d+) ranks", text)
    if found:
        return int(found[1])
    local = "node-local" in text or ("HSDP" in text and "FSDP/" not in text)
    return int(row.get("gpus_per_node") or 8) // int(row.get("tp") or 1) if local else 0


def _interleave(row: Row, stack: Profile, pipeline: int) -> int:
    """Virtual stages; Megatron-Core of the H100 years interleaves unless told otherwise."""
    if row.get("vpp") or pipeline == 1 or stack.name != "megatron-core":
        return int(row.get("vpp") or 1)
    return max(1, min(facts("software")["defaults"]["interleave"], int(row["layers"]) // pipeline))


def _recomputed(row: Row, usual: ActivationCheckpointing) -> ActivationCheckpointing:
    if not row.get("act_ckpt"):
        return usual
    if says(row, "act_ckpt", "full"):
        return "full"
    return "none" if says(row, "act_ckpt", "none") else "selective"


def _offloaded(row: Row) -> Offload:
    """Where the optimizer lies: `offload`, or words of `sharding`, say host or CPU."""
    moved = says(row, "offload", "optim|param|cpu|true|all") or says(
        row, "sharding", "(cpu|optim).*offload|offload.*optim"
    )
    return "optimizer" if moved else "none"


def on_host(row: Row) -> bool:
    """Whether what full recomputation keeps lay in host memory."""
    return says(row, "offload", "activation|checkpoint") or says(row, "act_ckpt", "offload")


def _micro_batch(row: Row, stack: Profile, pipeline: int, rank_batch: int | None) -> int:
    """Sequences of one forward pass of a rank whose batch is `rank_batch` (None: unknown).

    PyTorch cuts what it calls the local batch into as many micro batches as there are stages.
    """
    most = facts("software")["defaults"]["micro_batch"] if pipeline == 1 else 1
    micro = int(row.get("micro_batch") or max(1, min(rank_batch or most, most)))
    if stack.native_pipeline and pipeline > 1:
        local = rank_batch or micro
        if not row.get("micro_batch") or micro >= local:
            return max(1, local // (pipeline * int(row.get("vpp") or 1)))
    return micro


def layout(row: Row, stack: Profile, usual: ActivationCheckpointing, count: int) -> Layout:
    """The layout of a row over `count` devices."""
    tensor, pipeline, context = (int(row.get(key) or 1) for key in ("tp", "pp", "cp"))
    data = max(1, int(row.get("dp") or count // (tensor * pipeline * context)))
    whole, unsaid = batch(row), row.get("sequence_parallel") is None
    micro = _micro_batch(row, stack, pipeline, max(1, whole // data) if whole else None)
    zero: Any = stack.zero if row.get("zero_stage") is None else row["zero_stage"]
    return Layout(
        data=data,
        tensor=tensor,
        pipeline=pipeline,
        context=context,
        interleave=_interleave(row, stack, pipeline),
        uneven_stages=stack.layouts["uneven"] and int(row["layers"]) % pipeline != 0,
        zero=zero,
        shard_group=_shard_group(row),
        micro_batch=micro,
        accumulation=max(1, whole // (data * micro)) if whole else facts("software")["defaults"]["accumulation"],
        activation_checkpointing=_recomputed(row, usual),
        offload=_offloaded(row),
        megatron_sequence=tensor > 1 and (stack.sequence_parallel if unsaid else bool(row["sequence_parallel"])),
    )
