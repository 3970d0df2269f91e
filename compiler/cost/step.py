"""Seconds of one optimizer step, by parts: compute, recomputation, exposed communication, bubble, optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log2

from ...spec.facts import figures
from ...spec.layout import Layout
from ...spec.stage_layers import stage_layers
from ...spec.step_parts import StepPart
from .case import StepCase
from .compute import LayerTime, head_time, layer_time, stream_seconds
from .network import Group, busy_seconds, exchange_seconds, gather_seconds, group, reduce_seconds, send_seconds
from .once import MICRO, STAGES, STATES, once_for

WIDE = 2
OPTIMIZER_BYTES = figures("planning")["optimizer_bytes"]
OFFLOAD_BYTES = figures("planning")["offload_bytes"]


@dataclass(frozen=True, slots=True)
class StepTime:
    """Seconds of a step and what they are made of."""

    seconds: float
    parts: Mapping[StepPart, float]


@dataclass(frozen=True, slots=True)
class _Micro:
    """Seconds of one layer and one micro batch on one rank."""

    compute: float
    recompute: float
    tensor: float
    waiting: float  # for the host

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.compute + self.recompute + self.tensor + self.waiting


def _waiting(device: float, host: float) -> float:
    """Seconds that a device which has work for `device` seconds waits for a host which needs `host` to launch it."""
    order = figures("constants")["host"]["smoothing"]
    slower, faster = max(device, host), min(device, host)
    return slower * (1 + (faster / slower) ** order) ** (1 / order) - device


def _share(case: StepCase, times: LayerTime) -> float:
    """Seconds of forward work that the backward pass repeats in one layer."""
    if case.layout.activation_checkpointing == "none":
        return 0.0
    if case.layout.activation_checkpointing == "full":
        return times.forward.seconds - (times.last if case.profile.early_stop else 0.0)
    part = case.profile.selective
    ahead = times.forward
    return part.matmul * ahead.matmul + part.elementwise * ahead.elementwise + part.attention * ahead.attention


@once_for(*MICRO)
def _model_parallel(case: StepCase) -> float:
    """Seconds of one layer's tensor, sequence and context collectives in one forward pass."""
    layout, hardware, width = case.layout, case.hardware, case.workload.shape.q_size
    activation = WIDE * case.tokens_per_rank * width
    seconds = case.profile.tensor_sums * _summed(case)
    kv = 2 * case.kv_size / width
    if layout.sequence > 1:
        ranks = group(hardware, layout.sequence, layout.tensor)
        seconds += exchange_seconds(hardware, ranks, (2 + kv) * activation / layout.tensor)
    if layout.context > 1:
        ranks = group(hardware, layout.context, layout.tensor)
        seconds += gather_seconds(hardware, ranks, kv * activation * layout.context / layout.tensor, layout.context)
    return seconds


@once_for(*MICRO)
def _summed(case: StepCase) -> float:
    """Seconds to add up one micro batch's hidden states over the tensor-parallel ranks."""
    ranks, size = case.layout.tensor, WIDE * case.tokens_per_rank * case.workload.shape.hidden_size
    return reduce_seconds(case.hardware, group(case.hardware, ranks, 1), size) if ranks > 1 else 0.0


def vocabulary_sums(layout: Layout) -> int:
    """Sums of the cut vocabulary on one rank in one micro batch: the embedding's, and that of the head's gradient.

    Each on the pipeline stage that has it (arXiv 1909.08053, section 3).
    """
    return 2 if layout.pipeline == 1 else 1


def _vocabulary(case: StepCase) -> float:
    """Seconds of the sums of the cut vocabulary in one micro batch."""
    return vocabulary_sums(case.layout) * _summed(case) * (1 - case.profile.overlap.tensor)


@once_for(*MICRO, "activation_checkpointing")
def _layer(case: StepCase) -> _Micro:
    times = layer_time(case)
    repeated = _share(case, times)
    full = case.layout.activation_checkpointing == "full"
    partly = 0.5 if case.profile.early_stop else 1.0  # the last product's all-reduce is not repeated either
    passes = 2 + (partly if full else 0)
    exposed = 1 - case.profile.overlap.tensor
    forward, backward, parallel = case.profile.host
    wide = parallel * case.layout.tensor if case.layout.tensor > 1 else 0.0
    host = (forward + wide) * (2 if full else 1) + backward + wide
    compute = (times.forward.seconds + times.backward.seconds) / case.speed
    again, between = repeated / case.speed, exposed * passes * _model_parallel(case)
    return _Micro(compute, again, between, _waiting(compute + again + between, host))


@once_for(*STATES)
def _data_groups(case: StepCase) -> tuple[Group, Group]:
    """The group over which ZeRO shards, and the group that holds copies of one shard."""
    tensor, hardware, shards = case.layout.tensor, case.hardware, case.shards
    return group(hardware, shards, tensor), group(hardware, case.replicas // shards, tensor * shards)


@once_for(*STAGES)
def stage_parameters(case: StepCase) -> float:
    """Parameters of the heaviest pipeline stage on one tensor-parallel rank."""
    shape, layout = case.workload.shape, case.layout
    if layout.pipeline == 1:
        return (shape.layers * shape.layer_parameters + shape.embedding_parameters) / layout.tensor
    table, layers = shape.vocab_size * shape.hidden_size, stage_layers(shape, layout)
    ends = max(layers[0], layers[-1]) * shape.layer_parameters + table
    heaviest = max(ends, max(layers) * shape.layer_parameters)
    return heaviest / layout.tensor


@once_for(*STATES)
def _sharded_parameters(case: StepCase) -> float:
    """Seconds of ZeRO-3's gathers and scatters in one micro batch (two gathers, one scatter)."""
    if case.layout.zero < 3:
        return 0.0
    inner, _ = _data_groups(case)
    calls = case.workload.shape.layers / case.layout.pipeline * case.profile.collectives + 1
    size = WIDE * stage_parameters(case)
    one = gather_seconds(case.hardware, inner, size, calls)
    if not (case.profile.hpz and case.layout.shard_group):
        return 3 * one
    near = group(case.hardware, case.layout.shard_group, case.layout.tensor)
    return 2 * one + gather_seconds(case.hardware, near, size, calls)


@once_for(*STATES)
def _contention(case: StepCase) -> float:
    """Seconds by which ZeRO-3's transfers slow the compute that hides them, in one micro batch."""
    if case.layout.zero < 3:
        return 0.0
    inner, _ = _data_groups(case)
    return case.profile.contention * 3 * busy_seconds(case.hardware, inner, WIDE * stage_parameters(case))


@once_for(*STATES)
def _gradients(case: StepCase) -> tuple[float, float]:
    """Seconds of one gradient reduction, and once a step of gathering updated parameters."""
    inner, outer = _data_groups(case)
    hardware, layout = case.hardware, case.layout
    wide = case.profile.fp32_gradients and (case.workload.precision != "fp16" or case.profile.own_buckets)
    size = (4 if wide else WIDE) * stage_parameters(case)
    calls = max(1.0, case.workload.shape.layers / layout.pipeline * (case.profile.collectives - 1))
    if layout.zero == 0:
        return reduce_seconds(hardware, group(hardware, inner.size * outer.size, layout.tensor), size, calls), 0.0
    between = reduce_seconds(hardware, outer, size / inner.size, calls)
    if layout.zero == 3:
        return between, 0.0
    meet = gather_seconds if case.profile.reduce == "scatter" else reduce_seconds
    scatter = meet(hardware, inner, size, calls)
    announced = case.profile.announce * inner.size if inner.nodes > 1 else 0.0
    return scatter + between, gather_seconds(hardware, inner, WIDE * stage_parameters(case), calls) + announced


@once_for(*STATES)
def _optimizer(case: StepCase) -> float:
    layout = case.layout
    inner, _ = _data_groups(case)
    owned = stage_parameters(case) / (inner.size if layout.zero else 1)
    if layout.offload == "optimizer":
        constants = figures("constants")
        travel = OFFLOAD_BYTES * owned / (case.hardware.gpu.pcie * constants["network"]["pcie"])
        return travel + OPTIMIZER_BYTES * owned / constants["memory"]["host"]
    return stream_seconds(case.hardware.gpu, OPTIMIZER_BYTES * owned)


@once_for(*STATES)
def _accumulation(case: StepCase) -> float:
    """Seconds of adding one micro batch's 16-bit gradients to fp32 ones, which ZeRO 2 and 3 hold divided."""
    if case.workload.precision == "fp32" or (case.workload.precision == "fp16" and not case.profile.own_buckets):
        return 0.0
    owned = stage_parameters(case) / (case.shards if case.layout.zero >= 2 else 1)
    return stream_seconds(case.hardware.gpu, case.profile.accumulate * owned)


def _hidden(seconds: float, share: float, behind: float) -> float:
    """What is left of `seconds` of communication when at most `share` of it, and `behind` seconds, can be hidden."""
    return seconds - min(share * seconds, behind)


def _transfers(case: StepCase) -> float:
    """Seconds of handing hidden states from stage to stage."""
    layout, profile = case.layout, case.profile
    if layout.pipeline == 1:
        return 0.0
    size = WIDE * case.tokens_per_rank * case.workload.shape.hidden_size / (layout.tensor if profile.scattered else 1)
    stride = layout.tensor * layout.sequence * layout.context * layout.data
    turns = layout.accumulation + layout.pipeline - 1
    exposed = 1 - max(profile.overlap.tensor, profile.overlap.transfers)
    each = 2 * send_seconds(case.hardware, stride, size) * layout.interleave * exposed + profile.handover
    return turns * each + _tied_embedding(case, stride * (layout.pipeline - 1))


def _tied_embedding(case: StepCase, distance: int) -> float:
    """Seconds of sending a tied embedding to the stage with the head, and its fp32 gradient back."""
    shape = case.workload.shape
    table = shape.vocab_size * shape.hidden_size / case.layout.tensor
    return send_seconds(case.hardware, distance, (WIDE + 4) * table) if shape.tied_embeddings else 0.0


@once_for("data", "sequence", "context", "tensor", "pipeline", "micro_batch", "accumulation")
def _least_seconds(case: StepCase) -> float:
    """Seconds of a step at the best share of the peak that was ever published for the device; 0 where none was."""
    best = figures("accuracy")["best_mfu"].get(case.hardware.gpu.family, {}).get(case.workload.precision)
    if best is None:
        return 0.0
    flops = case.workload.tokens * case.workload.shape.training_flops(case.workload.sequence, causal=True)
    return flops / (best * case.hardware.gpu.flops[case.workload.precision] * case.layout.gpus * case.speed)


def step(case: StepCase) -> StepTime:
    """Predict one optimizer step of `case`."""
    layout, profile, stages = case.layout, case.profile, case.layout.pipeline
    micro, all_layers = layout.accumulation, case.workload.shape.layers
    layer, tables = _layer(case), _vocabulary(case)
    last = head_time(case) / case.speed + tables
    layers, each = stage_layers(case.workload.shape, case.layout), layer.seconds
    ends = layers[-1] * each + last >= max(layers) * each  # whether the stage with the head is the slowest
    slowest, head = (layers[-1], last - tables) if ends else (max(layers), 0.0)
    per_micro = slowest * each + (last if ends else 0.0)
    exposed = _hidden(_sharded_parameters(case), profile.overlap.weights, per_micro) + _contention(case)
    reduction, gather = _gradients(case)
    behind = slowest * each * 2 / 3
    rounds = micro if layout.zero == 2 and stages == 1 else 1  # divided gradients are reduced with every micro batch
    gathers = 1 if stages > 1 and profile.native_pipeline else micro
    parts = {
        StepPart.COMPUTE: micro * (slowest * layer.compute + head),
        StepPart.RECOMPUTATION: micro * slowest * layer.recompute,
        StepPart.TENSOR_PARALLEL: micro * (slowest * layer.tensor + (tables if ends else 0.0)),
        StepPart.HOST_WAIT: micro * slowest * layer.waiting,
        StepPart.ZERO3_GATHERS: gathers * exposed,
        StepPart.UPDATED_WEIGHTS_GATHER: _hidden(gather, profile.overlap.updates, behind),
        StepPart.GRADIENT_REDUCTION: rounds * _hidden(reduction, profile.overlap.gradients, behind),
        StepPart.PIPELINE_BUBBLE: (all_layers * each + last - per_micro) / layout.interleave,
        StepPart.PIPELINE_TRANSFERS: _transfers(case),
        StepPart.GRADIENT_ACCUMULATION: micro * _accumulation(case),
        StepPart.OPTIMIZER: _optimizer(case),
    }
    return _whole(case, parts)


def _whole(case: StepCase, parts: dict[StepPart, float]) -> StepTime:
    """The step with what its size in nodes adds, no faster than the best that was ever published."""
    nodes, total = ceil(case.layout.gpus / case.hardware.per_node), sum(parts.values())
    parts[StepPart.JITTER] = total * case.profile.jitter * log2(nodes) if nodes > 1 else 0.0
    parts[StepPart.PUBLISHED_LIMIT] = max(0.0, _least_seconds(case) - total - parts[StepPart.JITTER])
    return StepTime(sum(parts.values()), parts)
