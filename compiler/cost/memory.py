"""Peak bytes on the fullest device, by parts: weights, gradients, optimizer, activations, logits, buffers, context."""

from __future__ import annotations

from ...spec.facts import figures
from ...spec.stage_layers import stage_layers
from ...spec.units import GIGA
from .case import StepCase
from .gradient_bucket import bucket_elements
from .once import STATES, once_for
from .runtime_memory import LIVE_LAYERS, SLICE_ROWS, peak_parts, whole_bytes
from .step import stage_parameters

WIDE = 2
BUCKET_BYTES: int = figures("constants")["runtime"]["bucket_bytes"]


@once_for(*STATES)
def state_bytes(case: StepCase) -> dict[str, float]:
    """Weights, gradients and optimizer of the heaviest stage, divided as the ZeRO stage says."""
    layout, state = case.layout, case.profile.state
    owned, shards = stage_parameters(case), case.shards
    host = layout.offload == "optimizer"
    parts = {
        "weights": owned * state.weights / (shards if layout.zero >= 3 else 1),
        "gradients": owned * state.gradients / (shards if layout.zero >= 2 else 1),
        "optimizer": 0.0 if host else owned * state.optimizer / (shards if layout.zero >= 1 else 1),
    }
    if layout.zero >= 3 and layout.pipeline > 1 and case.profile.native_pipeline:
        parts["gathered weights"] = WIDE * owned
        parts["whole gradients"] = 4.0 * owned
    elif layout.zero >= 3:
        if case.profile.hpz and layout.shard_group:
            parts["second copy of weights"] = WIDE * owned / layout.shard_group
        layer, table = whole_bytes(case)
        parts["gathered weights"] = LIVE_LAYERS * layer + table
    return parts


def _kept(case: StepCase, norm: float, attention: float, activation: float) -> float:
    """Bytes that a layer keeps of one token, given bytes per element of its norms, attention and feed-forward."""
    shape, layout = case.workload.shape, case.layout
    d, f, tensor = shape.hidden_size, shape.ffn_size, layout.tensor
    heads = attention * shape.q_size + 4 * shape.kv_size
    return norm * d / (tensor if layout.megatron_sequence else 1) + (heads + activation * f) / tensor


def _layer_bytes(case: StepCase) -> tuple[float, float, float]:
    """Bytes that one layer keeps for its backward pass: (its input, everything, everything but `selective`'s)."""
    shape, layout, tokens = case.workload.shape, case.layout, case.tokens_per_rank
    kept = case.profile.memory
    tensor = layout.tensor
    border = WIDE * tokens * shape.hidden_size / (tensor if layout.megatron_sequence else 1)
    activation = kept.gated if shape.gated else kept.activation
    inside = tokens * _kept(case, kept.norm, kept.attention, activation)
    each, longest = kept.scores
    if case.profile.attention == "materialised":
        each, longest = figures("constants")["attention"]["kept"], case.workload.sequence
    heads = shape.heads / (tensor * layout.sequence)
    scores = each * tokens * case.workload.sequence * heads if case.workload.sequence <= longest else 0.0
    cut = case.profile.selective
    few = kept.thin
    rest = tokens * _kept(case, *few) if few else inside * (1 - cut.elementwise)
    thin = rest + scores * (1 - cut.attention)
    return border, inside + scores, thin


def activation_bytes(case: StepCase) -> float:
    """Activations of all layers and micro batches in flight on the first stage, and the working set of one layer."""
    layout = case.layout
    border, everything, thin = _layer_bytes(case)
    layers = stage_layers(case.workload.shape, case.layout)
    flight = min(layout.accumulation, layout.pipeline)
    if layout.pipeline > 1 and layout.interleave > 1:
        flight *= 1 + (layout.pipeline - 1) / (layout.pipeline * layout.interleave)
    held = max(flight * layers[0], (flight - 1) * max(layers))
    pipes = case.profile.memory.pipes * flight * border if layout.pipeline > 1 else 0.0
    if layout.megatron_sequence:
        pipes += figures("constants")["memory"]["megatron_hidden_states"] * border * layout.tensor
    if layout.activation_checkpointing == "full" and case.host_activations:
        return 2 * border + everything + pipes  # one layer's input on its way out, one's on its way in
    if layout.activation_checkpointing == "full":
        return held * border + everything + pipes
    return held * (everything if layout.activation_checkpointing == "none" else thin) + pipes


def logit_bytes(case: StepCase) -> float:
    """Logits in 16 bit and fp32 with their gradient, on the stage that computes the loss.

    A head that works by slices holds one slice, and the fp32 gradient of its weight.
    """
    shape, held = case.workload.shape, case.profile.memory
    rows = shape.vocab_size / case.layout.tensor
    whole = case.tokens_per_rank * rows
    if not held.slice:
        return held.logit * whole
    return held.logit * min(whole, max(held.slice, SLICE_ROWS * rows)) + 4 * rows * shape.hidden_size


@once_for("tensor", "data", "sequence", "context", "pipeline")
def bucket_bytes(case: StepCase) -> float:
    """Gradients on their way to other ranks: our buffers as the bundle sizes them, or what the stack is known to hold.

    Stage 1 has two fp32 buffers that take turns, stage 2 two 16-bit ones and the fp32 copy that travels, stage 3 one
    fp32 buffer and the copy that the reduce-scatter is given (stage_1_and_2.py, `setup_buckets`; stage3.py).
    """
    layout, held = case.layout, case.profile.memory
    if not case.profile.own_buckets:
        return held.bucket_gb * GIGA if layout.gpus > 1 else 0.0
    return BUCKET_BYTES * bucket_elements(case.workload.shape, layout.tensor)


def memory_bytes(case: StepCase) -> dict[str, float]:
    """Peak bytes by part; their sum is what nvidia-smi would show."""
    held = case.profile.memory
    parts = {**state_bytes(case)}  # those are remembered
    if case.profile.own_buckets:
        parts |= peak_parts(case, parts["gradients"], bucket_bytes(case))
    else:
        parts["activations"] = activation_bytes(case)
        parts["logits"] = logit_bytes(case) / (2 if case.layout.pipeline > 1 else 1)
        parts["buckets"] = bucket_bytes(case)
    used = sum(parts.values())
    parts["fragmentation"] = held.fragmentation * used
    parts["context"] = held.context_gb * GIGA
    return parts
