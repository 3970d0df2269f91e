"""The sections of a software profile: recomputation, overlap, bytes, layouts; each field with its unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What `activation_checkpointing: selective` recomputes, as shares (0 to 1) of a layer's forward pass."""

    matmul: float
    """Share of the seconds of matrix products."""
    elementwise: float
    """Share of the seconds of norms, residuals, activation and rotary; and of the bytes that a layer keeps."""
    attention: float
    """Share of the seconds of attention, and of the bytes of its scores."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Shares (0 to 1) of communication that are hidden behind compute."""

    gradients: float
    """Share of the gradient reduction."""
    weights: float
    """Share of ZeRO-3's gathers and scatters."""
    updates: float
    """Share of the gather of weights after the optimizer (ZeRO 1 and 2)."""
    tensor: float
    """Share of tensor-parallel collectives."""
    transfers: float
    """Share of the hidden states that travel between pipeline stages."""


@dataclass(frozen=True, slots=True)
class StateBytes:
    """Bytes for each parameter, before ZeRO shards them."""

    weights: float
    """Bytes of the weights that compute."""
    gradients: float
    """Bytes of the gradients, with an fp32 accumulation where the stack has one."""
    optimizer: float
    """Bytes of the fp32 master copy and both moments."""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What a device holds beside weights, gradients and optimizer: see `cost/memory.py`."""

    norm: float
    """Bytes that a layer keeps for each of its elements of width d, for its norms and residuals."""
    attention: float
    """Bytes that a layer keeps for each element of width d, for attention and its projections."""
    activation: float
    """Bytes that a layer keeps for each feed-forward element, without a gate."""
    gated: float
    """The same with a gate (SwiGLU)."""
    logit: float
    """Bytes for each logit that exists at a time, its gradient included."""
    slice: int
    """Logits that exist at a time (0: all), where the loss is computed in slices: `runtime/model/lm_head.py`."""
    thin: tuple[float, float, float] | tuple[()]
    """Bytes that `selective` keeps, for norm, attention, activation; empty: all but `selective.elementwise`."""
    context_gb: float
    """GB that CUDA, NCCL and cuBLAS take; CUDA alone 1,113 MiB on a V100 (BigScience, experiments/tr3m-1B3.md)."""
    fragmentation: float
    """Share of all other parts that the allocator cannot use."""
    bucket_gb: float
    """GB of gradient buffers, where there is more than one device."""
    pipes: float
    """Hidden states that each micro batch in flight keeps for the transfer between pipeline stages."""
    scores: tuple[float, int]
    """Bytes for each score and head, in sequences up to so many tokens: `runtime/model/attention.py`."""


@dataclass(frozen=True, slots=True)
class Runnable:
    """The layouts that a stack runs, as the planner offers them."""

    uneven: bool
    """Whether pipeline stages may have fewer layers where the head is."""
    interleave: bool
    """Whether a rank may have several virtual pipeline stages."""
    context: bool
    """Whether it has context parallelism (ring attention)."""
    sequence: bool
    """Whether it has DeepSpeed-Ulysses."""
    megatron_sequence: bool
    """Whether activations can be divided beside tensor parallelism (arXiv 2205.05198)."""
    zero: tuple[int, ...]
    """ZeRO stages without a pipeline."""
    with_stages: tuple[int, ...]
    """ZeRO stages beside a pipeline."""
    shard_group: bool
    """Whether ZeRO-3 can shard inside a node alone."""
    most_stages: int
    """Pipeline stages, at most."""
