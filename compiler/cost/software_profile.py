"""What a training stack does to the same arithmetic: each field of a row of `spec/facts/software.yaml`, with its unit.

In: nothing. Out: the types that `cost/stack.py` fills from the table and the cost model reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from .profile_sections import MemoryUse, Overlap, Recomputed, Runnable, StateBytes

Traffic = tuple[float, float]  # bytes moved for each 16-bit element, forward and backward


@dataclass(frozen=True, slots=True, eq=False)
class SoftwareProfile:
    """How a training stack runs a transformer."""

    name: str
    """Its key in the table."""
    attention: str
    """Attention kernel: flash1, flash2, flash3, materialised, or newest (that of the date, see `cost/stack.py`)."""
    norm: Traffic
    """Traffic of a norm; fused kernels read and write a tensor once, eager ones once an operation, in fp32."""
    residual: Traffic
    """Traffic of a residual."""
    activation: Traffic
    """Traffic of the feed-forward's activation, without a gate."""
    gated: Traffic
    """Traffic of the activation with a gate (SwiGLU), in its place."""
    rope: Traffic
    """Traffic of rotary positions."""
    logit: float
    """Bytes moved for each logit by the loss, forward and backward."""
    host: tuple[float, float, float]
    """Seconds the host needs for a layer: forward, backward, and more a pass for each tensor-parallel rank."""
    matmul: float
    """Share of the device's sustained matmul speed that the stack's shapes and libraries reach."""
    fp8: float
    """Share of the 8-bit peak that is left after casts and scaling."""
    selective: Recomputed
    """What selective recomputation repeats."""
    overlap: Overlap
    """What communication is hidden."""
    state: StateBytes
    """Bytes for each parameter."""
    memory: MemoryUse
    """Everything else that a device holds."""
    collectives: float
    """Collective calls for each layer and direction."""
    tensor_sums: int
    """All-reduces of hidden states for each layer and direction with tensor parallelism (arXiv 1909.08053, 3)."""
    fp32_gradients: bool
    """Whether bf16 runs reduce gradients in fp32; fp16 runs reduce in fp16 (DeepSpeed, Megatron-LM), ours in fp32."""
    jitter: float
    """Share of a step that each doubling of nodes adds: stragglers, noise of the network."""
    rails: float
    """Share of the network's rate that the stack's collectives reach."""
    partial: float
    """Share of that left to groups with some, not all, of a node's devices, where devices share adapters."""
    reduce: str
    """How ZeRO 1 and 2 reduce gradients: scatter (reduce-scatter) or all (all-reduce)."""
    zero: int
    """ZeRO stage of a published row that does not say."""
    accumulate: float
    """Bytes for each parameter that a micro batch moves to add bf16 gradients to fp32 ones."""
    announce: float
    """Seconds for each ZeRO-1/2 rank that sends its updated weights in turn (0: one all-gather)."""
    handover: float
    """Seconds that a micro batch loses at a pipeline stage to the hand-over between host and network."""
    scattered: bool
    """Whether each tensor-parallel rank sends its part of the hidden states between stages (arXiv 2104.04473, 4.1)."""
    hpz: bool
    """Whether a shard group is a second copy of the weights for the backward pass (DeepSpeed hpZ), not all shards."""
    contention: float
    """Share by which ZeRO-3's transfers, while they keep a device's links busy, slow the compute that hides them."""
    early_stop: bool
    """Whether full recomputation ends with the last tensor that the backward pass needs (PyTorch 2.1, no reentry)."""
    own_buckets: bool
    """Whether gradient buffers are those of this project's ds_config.json, not `memory.bucket_gb`."""
    families: tuple[str, ...]
    """Device families (gpus.yaml) with published rows that the profile was compared with; else it extrapolates."""
    dates: tuple[str, str]
    """First and last year and month in which the stack was as described; a row without a date is of the last."""
    flash3_since: str
    """Year and month from which the stack used kernels written for Hopper: FlashAttention-3 or cuDNN 9's."""
    native_pipeline: bool
    """Whether the local batch is cut into as many micro batches as stages, all weights gathered (torchtitan 2024)."""
    sequence_parallel: bool
    """Whether activations are divided beside tensor parallelism in a published row that does not say."""
    context_balanced: bool
    """Whether context parallelism deals out causal attention evenly; PyTorch's ring of 2024 did not (see note)."""
    layouts: Runnable
    """What the planner may offer."""
    source: str
    """Which software this describes, and what its figures were read from or fitted to."""
    date: str
    """Since when its figures are as they are."""
    note: str = ""
    """What a figure rests on where the source alone does not say."""
