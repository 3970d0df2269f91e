"""The parallel layout of a published run; what its row leaves open is filled in as a practitioner would.

Defaults are data (`facts/software.yaml`: defaults).
"""

from __future__ import annotations

import re
from math import ceil, log2
from typing import Any

from ...spec.facts import figures
from ...spec.hardware import Gpu
from ...spec.layout import ActivationCheckpointing, Layout, Offload
from ...spec.shape import ModelShape
from ...spec.units import DAY
from ..cost.software_profile import SoftwareProfile
from .published_run import PublishedRun

BILLION = 1e9


def says(words: object, pattern: str) -> bool:
    """Whether the words of a row match `pattern`; unsaid ones match nothing."""
    return re.search(pattern, str(words or ""), re.IGNORECASE) is not None


def devices(row: PublishedRun, shape: ModelShape, chip: Gpu, peak: float) -> int | None:
    """Devices of the run; None where the row says neither their number nor its batch.

    With the batch alone: as many whole nodes, doubled at will, as hold the state and end the run in good time.
    """
    if row.gpus:
        return row.gpus
    sequences = row.sequences
    if sequences is None:
        return None
    usual = figures("software")["defaults"]
    node = row.gpus_per_node or usual["node"]
    room = usual["state_share"] * chip.memory_bytes if chip.memory_bytes else float("inf")
    flops = shape.training_flops(row.known("sequence_length")) * (row.tokens_trained_b or 0) * BILLION
    least = max(usual["state_bytes"] * shape.parameters / room, flops / (usual["mfu"] * peak * usual["days"] * DAY))
    nodes = max(1, least / node)
    return max(1, min(sequences, node * 2 ** ceil(log2(nodes))))


def _shard_group(row: PublishedRun) -> int:
    """Ranks over which ZeRO shards, from the words of a row; 0: all."""
    text = str(row.sharding or "")
    found = re.search(r"over (\d+) ranks", text)
    if found:
        return int(found[1])
    local = "node-local" in text or ("HSDP" in text and "FSDP/" not in text)
    return (row.gpus_per_node or figures("software")["defaults"]["node"]) // (row.tensor or 1) if local else 0


def _interleave(row: PublishedRun, stack: SoftwareProfile, pipeline: int) -> int:
    """Virtual stages; Megatron-Core of the H100 years interleaves by default."""
    if row.interleave or pipeline == 1 or stack.name != "megatron-core":
        return row.interleave or 1
    return max(1, min(figures("software")["defaults"]["interleave"], row.known("layers") // pipeline))


def _recomputed(row: PublishedRun, usual: ActivationCheckpointing) -> ActivationCheckpointing:
    if not row.activation_checkpointing:
        return usual
    if says(row.activation_checkpointing, "full"):
        return "full"
    return "none" if says(row.activation_checkpointing, "none") else "selective"


def _offloaded(row: PublishedRun) -> Offload:
    """Where the optimizer lies: `offload`, or words of `sharding`, say host or CPU."""
    named = says(row.offload, "optim|param|weight|grad|state|zero")
    bare = says(row.offload, "cpu|host|nvme") and not on_host(row)  # what else than the optimizer it would name
    moved = named or bare or says(row.sharding, "(cpu|optim).*offload|offload.*optim")
    return "optimizer" if moved else "none"


def on_host(row: PublishedRun) -> bool:
    """Whether what full recomputation keeps lay in host memory."""
    return says(row.offload, "activation|checkpoint") or says(row.activation_checkpointing, "offload")


def _micro_batch(row: PublishedRun, stack: SoftwareProfile, pipeline: int, rank_batch: int | None) -> int:
    """Sequences of one forward pass of a rank whose batch is `rank_batch` (None: unknown).

    PyTorch cuts what it calls the local batch into as many micro batches as there are stages.
    """
    most = figures("software")["defaults"]["micro_batch"] if pipeline == 1 else 1
    micro = int(row.micro_batch or max(1, min(rank_batch or most, most)))
    if stack.native_pipeline and pipeline > 1:
        local = rank_batch or micro
        if not row.micro_batch or micro >= local:
            return max(1, local // (pipeline * (row.interleave or 1)))
    return micro


def layout(row: PublishedRun, stack: SoftwareProfile, usual: ActivationCheckpointing, count: int) -> Layout:
    """The layout of a row over `count` devices."""
    tensor, pipeline, context = (degree or 1 for degree in (row.tensor, row.pipeline, row.context))
    data = max(1, int(row.data or count // (tensor * pipeline * context)))
    whole, unsaid = row.sequences, row.sequence_parallel is None
    micro = _micro_batch(row, stack, pipeline, max(1, whole // data) if whole else None)
    zero: Any = stack.zero if row.zero is None else row.zero
    return Layout(
        data=data,
        tensor=tensor,
        pipeline=pipeline,
        context=context,
        interleave=_interleave(row, stack, pipeline),
        uneven_stages=stack.layouts.uneven and row.known("layers") % pipeline != 0,
        zero=zero,
        shard_group=_shard_group(row),
        micro_batch=micro,
        accumulation=max(1, whole // (data * micro)) if whole else figures("software")["defaults"]["accumulation"],
        activation_checkpointing=_recomputed(row, usual),
        offload=_offloaded(row),
        megatron_sequence=tensor > 1 and (stack.sequence_parallel if unsaid else bool(row.sequence_parallel)),
    )
