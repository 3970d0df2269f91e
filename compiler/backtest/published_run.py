"""A published run, or one of a user's own, as its row in a file of runs describes it: typed, frozen, no unknown key.

Keys are the spec's. The short names in which published rows were collected (`tp`, `act_ckpt`, `gbs_seqs`) are read as
well; `SHORT` and `UNITS` say what they stand for. `None` means that the source does not say.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from ...spec.quantity import Amount, AmountIn, BytesPerSecond, Watts
from ...spec.section import Section
from ...spec.text_types import TextPattern

SHORT = {
    "hidden": "hidden_size",
    "ffn": "ffn_size",
    "vocab": "vocab_size",
    "seq_len": "sequence_length",
    "tp": "tensor",
    "pp": "pipeline",
    "dp": "data",
    "cp": "context",
    "vpp": "interleave",
    "zero_stage": "zero",
    "act_ckpt": "activation_checkpointing",
    "compiled": "compile",
}
# Short names of quantities: the key that each stands for, and the unit of its bare number.
UNITS = {
    "gbs_seqs": ("global_batch", "sequences"),
    "gbs_tokens": ("global_batch", "tokens"),
    "gpu_power_cap_w": ("power_cap", "W"),
    "net_gbps_per_gpu": ("bandwidth_per_gpu", "Gbps"),
}
LARGEST = 10**12  # of anything that is counted

Count = Annotated[PositiveInt, Field(le=LARGEST)]
Figure = Annotated[PositiveFloat, Field(le=LARGEST)]
Checkpointing = Annotated[
    str, TextPattern(r"(none|selective|full)([ ,_][a-z ,_]*)?", 60, "none, selective or full, and words on it")
]
Offloaded = Annotated[
    str,
    TextPattern(
        r"(?i:.*(none|no\b|optim|param|weight|grad|state|activation|checkpoint|cpu|host|nvme|zero).*)", 100,
        "true, false, none, or words with what lies in host memory: optimizer, parameters or activations",
    ),
]  # fmt: skip
Kind = Literal[
    "benchmark",
    "pretraining_run",
    "memory_measurement",
    "power_cap_point",
    "power_measurement",
    "interconnect_comparison",
    "kernel_ceiling",
]


class UnusableRow(Exception):  # noqa: N818 - not an error: a row that says too little to be predicted
    """A row cannot be predicted; the message is the reason."""


class PublishedRun(Section):
    """One row: what ran, on what, how, and what was measured."""

    id: str
    kind: Kind | None = None
    model: str | None = None
    params_b: Figure | None = Field(default=None, description="Parameters, in billions.")
    layers: Count | None = None
    hidden_size: Count | None = None
    ffn_size: Count | None = None
    mlp_gated: bool | None = Field(default=None, description="Whether the feed-forward block is SwiGLU.")
    heads: Count | None = None
    kv_heads: Count | None = None
    vocab_size: Count | None = None
    tied_embeddings: bool | None = None

    sequence_length: Count | None = None
    global_batch: Annotated[Amount, AmountIn(("tokens", "sequences"))] | None = None
    micro_batch: Count | None = None
    precision: str | None = None
    activation_checkpointing: Checkpointing | None = None
    flash_attn: bool | None = None
    compile: bool | None = None
    loss: str | None = Field(default=None, description="How the loss is computed: whole or chunked.")
    offload: Offloaded | None = Field(default=None, description="What lies in host memory; true: the optimizer.")

    gpu: str | None = None
    gpu_mem_gb: Count | None = None
    gpus: Count | None = None
    gpus_per_node: Count | None = None
    power_cap: Annotated[Watts, Field(gt=0)] | None = None
    bandwidth_per_gpu: Annotated[BytesPerSecond, Field(gt=0)] | None = None
    net_type: str | None = None

    framework: str | None = None
    sharding: str | None = None
    zero: Literal[0, 1, 2, 3] | None = None
    data: Count | None = None
    tensor: Count | None = None
    pipeline: Count | None = None
    context: Count | None = None
    interleave: Count | None = None
    sequence_parallel: bool | None = Field(default=None, description="Megatron's, beside tensor parallelism.")

    tokens_per_s_per_gpu: Figure | None = None
    calc_tokens_per_s_per_gpu: Figure | None = None
    step_time_s: Figure | None = None
    mfu_pct: Figure | None = None
    calc_mfu_pct: Figure | None = None
    hfu_pct: Figure | None = None
    tflops_per_gpu: Figure | None = None
    tflops_kind: str | None = None
    flops_convention: str | None = None
    mem_per_gpu_gib: Figure | None = None
    mem_note: str | None = None
    gpu_hours: Figure | None = None
    gpu_hours_basis: str | None = None
    tokens_trained_b: Figure | None = Field(default=None, description="Tokens trained on, in billions.")
    rel_throughput: Figure | None = Field(default=None, description="Against the device's default power limit.")
    power_per_gpu_w: Figure | None = None
    power_basis: str | None = None
    energy_mwh: Figure | None = None
    energy_basis: str | None = None
    pue: Figure | None = None
    ci_kg_per_kwh: Figure | None = None
    co2e_t: Figure | None = None

    source_title: str | None = None
    source_url: str | None = None
    source_date: str | None = None
    source_kind: str | None = None
    source_licence: str | None = None
    source_repo: str | None = None
    source_path: str | None = None
    source_commit: str | None = None
    unverified_fields: tuple[str, ...] = ()
    notes: str | None = None

    @field_validator("offload", mode="before")
    @classmethod
    def _plain_offload(cls, value: object) -> object:
        """Recipes write a switch where others write what is moved."""
        return ("optimizer" if value else "none") if isinstance(value, bool) else value

    @property
    def speed(self) -> float | None:
        """Tokens per second and device: derived from what is reported where it was, else as reported."""
        return self.calc_tokens_per_s_per_gpu or self.tokens_per_s_per_gpu

    @property
    def sequences(self) -> int | None:
        """Sequences of one optimizer step."""
        batch = self.global_batch
        if batch is None:
            return None
        return int(batch.value) if batch.unit == "sequences" else int(batch.value) // self.known("sequence_length")

    def known(self, key: str) -> Any:
        """The value of `key`. Raises Skipped when the row does not say it."""
        value = getattr(self, key)
        if value is None:
            raise UnusableRow(f"the row does not say {key}")
        return value
