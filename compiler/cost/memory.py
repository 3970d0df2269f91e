"""Peak bytes on the fullest device, by parts: weights, gradients, optimizer, activations, logits, buffers, context."""

from __future__ import annotations

from math import ceil

from ...spec.facts import facts
from .case import Case
from .step import stage_parameters

WIDE = 2
GIGA = 1e9


def state_bytes(case: Case) -> dict[str, float]:
    """Weights, gradients and optimizer of the heaviest stage, divided as the ZeRO stage says."""
    layout, state = case.layout, case.profile.state
    owned, shards = stage_parameters(case), case.shards
    host = layout.offload == "optimizer"
    parts = {
        "weights": owned * state["weights"] / (shards if layout.zero >= 3 else 1),
        "gradients": owned * state["gradients"] / (shards if layout.zero >= 2 else 1),
        "optimizer": 0.0 if host else owned * state["optimizer"] / (shards if layout.zero >= 1 else 1),
    }
    if layout.zero >= 3:
        layer = case.work.shape.layer_parameters / layout.tensor
        tables = case.work.shape.vocab_size * case.work.shape.hidden_size
        if case.profile.hpz and layout.shard_group:
            parts["second copy of weights"] = WIDE * owned / layout.shard_group
        parts["gathered weights"] = WIDE * (2 * layer + tables / layout.tensor)
    return parts


def _layer_bytes(case: Case) -> tuple[float, float, float]:
    """Bytes that one layer keeps for its backward pass: (its input, everything, everything but `selective`'s)."""
    shape, layout, tokens = case.work.shape, case.layout, case.tokens_per_rank
    kept = case.profile.memory
    d, f, kv, tensor = shape.hidden_size, shape.ffn_size, case.kv_size, layout.tensor
    whole = tensor if layout.megatron_sequence else 1
    border = WIDE * tokens * d / whole
    activation = kept["gated"] if shape.gated else kept["activation"]
    inside = tokens * (kept["norm"] * d / whole + (kept["attention"] * d + 4 * kv + activation * f) / tensor)
    scores = 0.0
    if case.profile.attention == "materialised":
        heads = shape.heads / (tensor * layout.sequence)
        scores = facts("constants")["attention"]["kept"] * tokens * case.work.sequence * heads
    cut = case.profile.selective
    thin = inside * (1 - cut["elementwise"]) + scores * (1 - cut["attention"])
    return border, inside + scores, thin


def activation_bytes(case: Case) -> float:
    """Activations of all layers and micro batches in flight on the first stage, and the working set of one layer."""
    layout = case.layout
    border, everything, thin = _layer_bytes(case)
    layers = ceil(case.work.shape.layers / layout.pipeline)
    flight = min(layout.accumulation, layout.pipeline)
    if layout.pipeline > 1 and layout.interleave > 1:
        flight *= 1 + (layout.pipeline - 1) / (layout.pipeline * layout.interleave)
    pipes = case.profile.memory["pipes"] * flight * border if layout.pipeline > 1 else 0.0
    if layout.recompute == "full":
        return flight * layers * border + everything + pipes
    return flight * layers * (everything if layout.recompute == "none" else thin) + pipes


def logit_bytes(case: Case) -> float:
    """Logits in 16 bit and fp32 with their gradient, on the stage that computes the loss."""
    rows = case.work.shape.vocab_size / (case.layout.tensor if case.profile.vocabulary_parallel else 1)
    return case.profile.memory["logit"] * case.tokens_per_rank * rows


def memory_bytes(case: Case) -> dict[str, float]:
    """Peak bytes by part; their sum is what nvidia-smi would show."""
    held = case.profile.memory
    parts = state_bytes(case)
    parts["activations"] = activation_bytes(case)
    first = case.layout.pipeline > 1
    parts["logits"] = logit_bytes(case) / (2 if first else 1)
    parts["buckets"] = held["bucket_gb"] * GIGA if case.layout.gpus > 1 else 0.0
    used = sum(parts.values())
    parts["fragmentation"] = held["fragmentation"] * used
    parts["context"] = held["context_gb"] * GIGA
    return parts
