"""Every parallel layout of a spec that a training stack can run: degrees, stages, micro batches, recomputation.

What a stack can run is data (`facts/software.yaml`: layouts). In: a spec and a `SoftwareProfile`. Out: `Layout` values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from math import ceil, floor
from typing import Any

from ...spec.facts import figures
from ...spec.layout import Layout
from ...spec.sections import Spec
from ...spec.stage_layers import head_layers, split
from ..cost.profile_sections import Runnable

BATCH_ROUNDING = figures("planning")["batch_rounding"]
CHECKPOINTING = ("none", "selective", "full")
ROUNDS = (1, 2, 4, 8, 16, 32)  # a batch in tokens is also rounded to whole micro batches of these sizes
LONG_CONTEXT = figures("planning")["long_context"]
RINGS = (1, 2, 4, 8, 16)
CHUNKS = (1, 2, 4, 8)  # virtual stages


def layouts(spec: Spec, can: Runnable) -> Iterator[Layout]:
    """Every legal layout that agrees with what the spec fixes, for a stack that can run those of `can`."""
    fixed: dict[str, Any] = spec.parallel.model_dump(exclude_none=True)
    for degrees in _degrees(spec, can):
        rounds = _rounds(spec, degrees["data"], fixed.get("micro_batch"))
        for shards, checkpointing in product(_shards(spec, can, degrees, fixed), CHECKPOINTING):
            names = degrees | shards | {"activation_checkpointing": checkpointing}
            if any(names[key] != value for key, value in fixed.items() if key in names):
                continue
            for micro, count in rounds:
                if degrees["interleave"] == 1 or count % degrees["pipeline"] == 0:
                    yield Layout.model_validate(
                        names | {"micro_batch": micro, "accumulation": count, "offload": fixed.get("offload", "none")}
                    )


def _divisors(limit: int, *numbers: int) -> list[int]:
    return [n for n in range(1, limit + 1) if all(number % n == 0 for number in numbers)]


def _degrees(spec: Spec, can: Runnable) -> Iterator[dict[str, int]]:
    """Legal degrees: tensor and sequence groups together inside a node, each with whole heads."""
    cluster, model, length = spec.cluster, spec.model, spec.training.sequence_length
    node = min(cluster.gpus, cluster.gpus_per_node)
    rings = RINGS if can.context and length >= LONG_CONTEXT else (1,)
    for tensor in _divisors(node, node, cluster.gpus, model.heads, model.kv_heads, model.ffn_size):
        rest = node // tensor
        spread = _divisors(rest, rest, model.heads // tensor, length) if can.sequence else [1]
        for sequence, context in product(spread, rings):
            if cluster.gpus % (tensor * sequence * context) or (context > 1 and sequence > 1):
                continue
            replicas = cluster.gpus // (tensor * sequence * context)
            for stages in _stages(spec, can, replicas):
                split = {
                    "tensor": tensor,
                    "sequence": sequence,
                    "context": context,
                    "data": replicas // stages["pipeline"],
                }
                yield split | stages | {"megatron_sequence": can.megatron_sequence and tensor > 1}


def _stages(spec: Spec, can: Runnable, replicas: int) -> list[dict[str, int]]:
    """Pipeline stages, how they share the layers and how often each rank has one."""
    whole = spec.cluster.on_cpu or spec.training.precision == "fp16"
    asked, layers = spec.parallel.pipeline, spec.model.layers
    most = asked or (can.most_stages if spec.cluster.nodes > 1 and not whole else 1)
    found: list[dict[str, int]] = []
    for stages in range(1, min(most, layers, replicas) + 1):
        uneven = can.uneven and _gains(spec, stages)
        if replicas % stages or asked not in (None, stages) or (layers % stages and not uneven):
            continue
        chunks = [n for n in CHUNKS if n * stages <= layers and (uneven or layers % (n * stages) == 0)]
        found += [
            {"pipeline": stages, "uneven_stages": uneven, "interleave": n}
            for n in (chunks if can.interleave and stages > 1 else [1])
        ]
    return found


def _gains(spec: Spec, stages: int) -> bool:
    """Whether stages that count embedding and head as work have other layers than equal ones."""
    shape = spec.model.shape
    return split(shape.layers, stages, head_layers(shape)) != (shape.layers // stages,) * stages


def _shards(spec: Spec, can: Runnable, degrees: Mapping[str, int], fixed: Mapping[str, Any]) -> list[dict[str, int]]:
    """ZeRO stages, and the groups over which stage 3 shards."""
    cluster, staged = spec.cluster, degrees["pipeline"] > 1
    zeros = can.with_stages if staged else [1] if cluster.on_cpu and "zero" not in fixed else can.zero
    local = [cluster.gpus_per_node] if can.shard_group and cluster.nodes > 1 else []
    groups = [fixed["shard_group"]] if "shard_group" in fixed else [0, *local]
    return [
        {"zero": zero, "shard_group": group}
        for zero, group in product(zeros, groups)
        if not group or (zero == 3 and degrees["tensor"] == 1)
    ]


def _rounds(spec: Spec, data: int, micro: int | None) -> list[tuple[int, int]]:
    """(Micro batch, accumulation) of a rank: every divisor of its batch, or of the nearest ones where tokens count."""
    wanted = spec.training.requested_sequences
    exact, each = spec.training.global_batch.unit == "sequences", wanted / data
    sizes = {round(each)} if exact else {floor(each), ceil(each), *(n * round(each / n) for n in ROUNDS)}
    near = sorted((abs(n * data / wanted - 1), n) for n in sizes if n > 0)
    found: dict[int, int] = {}
    for off, size in near:
        if off <= (0 if exact else BATCH_ROUNDING):
            for part in _parts(size):
                found.setdefault(part, size // part)
    if micro is not None:
        count = max(1, round(each / micro))
        off = abs(count * micro * data / wanted - 1)
        return [(micro, count)] if off <= (0 if exact else BATCH_ROUNDING) else []
    return sorted(found.items())


@cache
def _parts(size: int) -> tuple[int, ...]:
    """Every divisor of `size`."""
    low = [n for n in range(1, int(size**0.5) + 1) if size % n == 0]
    return tuple(sorted({*low, *(size // n for n in low)}))
