"""Seconds of arithmetic at full clock: matrix multiplications by shape, attention, memory-bound operators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from ...spec.facts import figures
from ...spec.hardware import Gpu
from .case import StepCase
from .once import MICRO, once_for

WIDE = 2  # bytes of a 16-bit element


def _alignment(size: int) -> float:
    """Speed against aligned sizes when a weight's dimension is a multiple of only a small power of two."""
    table: dict[int, float] = figures("constants")["matmul"]["alignment"]
    return next(share for step, share in table.items() if size % step == 0)


def sustained(family: str, precision: str) -> float:
    """Share of the best measured matmul that long training sustains."""
    table = figures("constants")["matmul"]
    return (precision == "fp8" and table["sustained_fp8"].get(family)) or table["sustained"][family]


@lru_cache(maxsize=65536)
def matmul_seconds(gpu: Gpu, precision: str, rows: int, columns: int, depth: int) -> float:
    """Seconds of one [rows, depth] x [depth, columns] product: the best of the tiles, or what the memory takes."""
    table = figures("constants")["matmul"]
    peak = gpu.flops[precision] * gpu.kernel * sustained(gpu.family, precision)
    wave = gpu.sms / peak
    fill = table["fill_seconds"] / max(tall * wide for tall, wide, _ in table["tiles"])
    best = min(
        ceil(ceil(rows / tall) * ceil(columns / wide) * split / gpu.sms)
        * tall
        * wide
        * (2 * depth / split / share * wave + fill)
        for tall, wide, share in table["tiles"]
        for split in table["splits"]
    )
    aligned = min(_alignment(columns), _alignment(depth))
    width = 4 if precision == "fp32" else WIDE
    moved = width * (rows * columns + depth * (rows + columns))
    return max(best / aligned, moved / (gpu.bandwidth * figures("constants")["memory"]["stream"]))


def stream_seconds(gpu: Gpu, moved: float) -> float:
    """Seconds to move `moved` bytes through device memory by streaming kernels."""
    return moved / (gpu.bandwidth * figures("constants")["memory"]["stream"])


@dataclass(frozen=True, slots=True)
class Pass:
    """Seconds of one layer's parts in one direction."""

    matmul: float
    attention: float
    elementwise: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.matmul + self.attention + self.elementwise


@dataclass(frozen=True, slots=True)
class LayerTime:
    """Seconds of one layer and one micro batch on one rank; `last` is its final product's part of the forward pass."""

    forward: Pass
    backward: Pass
    last: float


def _matmuls(case: StepCase) -> list[tuple[int, int, int]]:
    """The (tokens, columns, depth) of a layer's forward products on one rank."""
    shape, tensor, tokens = case.workload.shape, case.layout.tensor, case.tokens_per_rank
    d, f = shape.hidden_size, shape.ffn_size // tensor
    heads = shape.q_size // tensor
    up = 2 * f if shape.gated else f
    kv = max(shape.kv_size // tensor, shape.head_size)
    return [(tokens, heads + 2 * kv, d), (tokens, d, heads), (tokens, up, d), (tokens, d, f)]


def _backward(gpu: Gpu, precision: str, product: tuple[int, int, int]) -> float:
    rows, columns, depth = product
    inputs = matmul_seconds(gpu, precision, rows, depth, columns)
    weights = matmul_seconds(gpu, precision, depth, columns, rows)
    return inputs + weights


def _attention(case: StepCase) -> tuple[float, float]:
    """Seconds of the attention core, forward and backward."""
    workload, layout, gpu = case.workload, case.layout, case.hardware.gpu
    shape, sequence = workload.shape, workload.sequence
    heads = shape.heads / (layout.tensor * layout.sequence * layout.context)
    seen = sequence if case.profile.attention == "materialised" else shape.attended(sequence)
    scores = layout.micro_batch * heads * sequence * seen
    if not case.profile.context_balanced:
        scores *= 2 - 1 / layout.context
    flops = 4 * scores * shape.head_size
    constants = figures("constants")
    kind = case.profile.attention
    if kind != "materialised" and gpu.family in constants["attention"][kind]:
        forward, backward = constants["attention"][kind][gpu.family]
        peak = gpu.flops["bf16" if workload.precision == "fp8" else workload.precision]
        slower = constants["attention"]["deterministic"] if workload.deterministic else 1.0
        again = slower * constants["attention"]["backward_flops"]
        return flops / 2 / (peak * forward), again * flops / 2 / (peak * backward)
    read, back = constants["attention"]["materialised"]
    peak = gpu.flops[workload.precision] * gpu.kernel * _alignment(shape.head_size)
    return (
        stream_seconds(gpu, read * scores) + flops / peak,
        stream_seconds(gpu, back * scores) + 2 * flops / peak,
    )


def _elementwise(case: StepCase) -> tuple[float, float]:
    """Seconds of norms, residuals, activation, rotary positions and norms of q and k, forward and backward."""
    shape, layout, profile = case.workload.shape, case.layout, case.profile
    tokens, d, tensor = case.tokens_per_rank, shape.hidden_size, layout.tensor
    whole = d / tensor if layout.megatron_sequence else d
    activation = profile.gated if shape.gated else profile.activation
    turned = (shape.q_size + shape.kv_size) / tensor
    rotary = turned if not shape.learned_positions else 0
    normed = 2 * whole + (turned if shape.qk_norm else 0)
    widths = ((profile.norm, normed), (profile.residual, 2 * whole), (activation, shape.ffn_size / tensor))
    gpu = case.hardware.gpu
    seconds = [
        stream_seconds(gpu, tokens * (sum(cost[i] * width for cost, width in widths) + profile.rope[i] * rotary))
        for i in (0, 1)
    ]
    return seconds[0], seconds[1]


@once_for(*MICRO)
def layer_time(case: StepCase) -> LayerTime:
    """Seconds of one layer and one micro batch on one rank, forward and backward, at full clock."""
    gpu, precision = case.hardware.gpu, case.workload.precision
    products = _matmuls(case)
    slow = 1 / (case.profile.matmul * (case.profile.fp8 if precision == "fp8" else 1))
    forward, backward = _attention(case)
    elements, back_elements = _elementwise(case)
    ahead = [slow * matmul_seconds(gpu, precision, *product) for product in products]
    behind = slow * sum(_backward(gpu, precision, product) for product in products)
    return LayerTime(Pass(sum(ahead), forward, elements), Pass(behind, backward, back_elements), ahead[-1])


@once_for(*MICRO)
def head_time(case: StepCase) -> float:
    """Seconds of the output head and loss of one micro batch, forward and backward."""
    shape, layout, gpu = case.workload.shape, case.layout, case.hardware.gpu
    rows = shape.vocab_size // layout.tensor
    tokens = case.tokens_per_rank
    product = (tokens, rows, shape.hidden_size)
    precision = "bf16" if case.workload.precision == "fp8" else case.workload.precision
    seconds = matmul_seconds(gpu, precision, *product) + _backward(gpu, precision, product)
    return seconds / case.profile.matmul + stream_seconds(gpu, case.profile.logit * tokens * rows)
