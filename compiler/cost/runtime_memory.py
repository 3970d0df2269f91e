"""What a device holds at the peak of a step of our own runtime, as benchmarks/device_memory.py finds it.

A step has three moments that can be the fullest: the loss, when every layer's activations are kept and a slice of
logits is scored; the backward pass of the last layer, when its gradients come on top; and with ZeRO-3 that of the layer
two before, by when weights are gathered ahead. A stage without the head has no loss. `peak_parts` are those of the
fullest moment on the fullest stage.
"""

from __future__ import annotations

from math import ceil

from ...spec.facts import figures
from ...spec.stage_layers import stage_layers
from .case import StepCase
from .once import MICRO, once_for

WIDE = {"fp32": 4}  # bytes of an element of activations; else 2
_MEASURED = figures("constants")["runtime"]
SLICE_ROWS: int = _MEASURED["slice_rows"]
LIVE_LAYERS: int = _MEASURED["live_layers"]


def _wide(case: StepCase) -> int:
    return WIDE.get(case.workload.precision, 2)


@once_for(*MICRO, "activation_checkpointing")
def kept_bytes(case: StepCase) -> tuple[float, float]:
    """Bytes that one layer keeps for its backward pass: its input, and all of it.

    Elements a token: two residuals and two norms of width d; q and the result of attention, divided over
    tensor-parallel ranks, and that result once more where Ulysses sends it back; k and v; gate, up, the product and,
    not compiled, the activation of the gate, of width f; q and k once more where they are normalised. `selective` keeps
    the projections instead: q, k, v, gate and up.
    """
    shape, layout, tokens = case.workload.shape, case.layout, case.tokens_per_rank
    d, f, gated = shape.hidden_size, shape.ffn_size, case.profile.memory.gated / 2
    if layout.activation_checkpointing == "selective":
        divided = shape.q_size + 2 * shape.kv_size + 2 * f
    else:
        normed = shape.q_size + shape.kv_size if shape.qk_norm else 0
        divided = (2 + (layout.sequence > 1)) * shape.q_size + 2 * case.kv_size + normed + gated * f
    each, longest = case.profile.memory.scores
    heads = shape.heads / (layout.tensor * layout.sequence)
    scores = each * tokens * case.workload.sequence * heads if case.workload.sequence <= longest else 0.0
    border = _wide(case) * tokens * d
    return border, 4 * border + _wide(case) * tokens * divided / layout.tensor + scores


@once_for(*MICRO)
def head_bytes(case: StepCase) -> float:
    """Bytes of the head while a slice is scored: its logits, the fp32 gradient of its weight, that of its input."""
    shape, tokens = case.workload.shape, case.tokens_per_rank
    rows = shape.vocab_size / case.layout.tensor
    known = _MEASURED["logit_bytes"]
    logit = known["cut"] if case.layout.tensor > 1 else known.get(case.workload.precision, known["mixed"])
    logit += known["capped"] if shape.softcapped else 0
    at_once = min(tokens * rows, max(case.profile.memory.slice, SLICE_ROWS * rows))
    return logit * at_once + 4 * rows * shape.hidden_size + _wide(case) * tokens * shape.hidden_size


@once_for(*MICRO, "activation_checkpointing")
def working_bytes(case: StepCase) -> float:
    """Bytes inside the layer whose backward pass runs: gradients, and with full recomputation all that it keeps."""
    shape, layout = case.workload.shape, case.layout
    hidden, ffn = _MEASURED["layer_gradients"]
    gradients = hidden * shape.hidden_size + ffn * shape.ffn_size / layout.tensor
    again = kept_bytes(case)[1] if layout.activation_checkpointing == "full" else 0.0
    return max(_wide(case) * case.tokens_per_rank * gradients, _attention_sums(case)) + again


def _attention_sums(case: StepCase) -> float:
    """Bytes of the fp32 sums of dQ: deterministic, one for each block that runs at a time (FlashAttention-2)."""
    shape, layout = case.workload.shape, case.layout
    heads = shape.heads / (layout.tensor * layout.sequence)
    blocks = ceil(case.hardware.gpu.sms / (layout.micro_batch * heads)) if case.workload.deterministic else 1
    return 4 * blocks * case.tokens_per_rank * shape.q_size / layout.tensor


def whole_bytes(case: StepCase) -> tuple[float, float]:
    """Bytes of a layer's weights that nothing but tensor parallelism divides, and of the embedding's."""
    shape, tensor = case.workload.shape, case.layout.tensor
    return _wide(case) * shape.layer_parameters / tensor, _wide(case) * shape.vocab_size * shape.hidden_size / tensor


def _ahead_bytes(case: StepCase, each: float, buckets: float) -> float:
    """What ZeRO-3 holds two layers into the backward pass, against the loss: weights, and what computes or is reduced.

    Either all of a layer's working set, or its last gradients, those that wait for a buffer, and the buffer's copy.
    """
    layer, table = whole_bytes(case)
    weights = (_MEASURED["gathered_layers"] - LIVE_LAYERS) * layer - table
    last = _MEASURED["layer_gradients"][0] * _wide(case) * case.tokens_per_rank * case.workload.shape.hidden_size
    return weights + max(working_bytes(case), last + layer + buckets / 2) - _MEASURED["gone_layers"] * each


def _stage_parts(case: StepCase, index: int, buckets: float) -> dict[str, float]:
    """The parts of one pipeline stage: the embedding's result and the last norm's are kept beside the layers."""
    layout = case.layout
    border, everything = kept_bytes(case)
    last = index == layout.pipeline - 1
    flight = min(layout.accumulation, layout.pipeline - index)
    each = border if layout.activation_checkpointing == "full" else everything
    head = head_bytes(case) if last else 0.0
    kept = flight * (stage_layers(case.workload.shape, case.layout)[index] * each + border) + border * last
    at_loss, in_backward = (share * buckets for share in _MEASURED["buckets"].get(layout.zero, (1.0, 1.0)))
    later = _ahead_bytes(case, each, buckets) if layout.zero == 3 else 0.0
    more = max(0.0, working_bytes(case) + in_backward - at_loss - head, later - head)
    return {"activations": kept, "logits": head, "backward pass": more, "buckets": at_loss}


def peak_parts(case: StepCase, gradients: float, buckets: float) -> dict[str, float]:
    """The parts of the fullest moment that are not weights and optimizer, given all gradients and all buffers of them.

    With one micro batch a step, ZeRO 1's gradients take the places of activations one by one.
    """
    layers = stage_layers(case.workload.shape, case.layout)
    ends = {0, layers.index(max(layers)), len(layers) - 1}
    found = [_stage_parts(case, index, buckets) for index in sorted(ends)]
    parts = max(found, key=lambda stage: sum(stage.values()))
    if case.layout.accumulation == 1 and case.layout.zero == 1:
        gradients = max(0.0, gradients + working_bytes(case) + buckets - sum(parts.values()))
    return {"gradients": gradients, **parts}
