"""The sections of a spec, with everything written out: presets are already resolved, units already read.

These classes are the language's only definition: the JSON Schema, the reference page and `trainwright explain` come
from their field descriptions. All are frozen and refuse unknown keys.
"""

from __future__ import annotations

from operator import not_
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

from .cluster import Cluster, Interconnect
from .corpus import CorpusSource, Data, TokenIds, Tokenizer
from .launch import Launch
from .layout import ActivationCheckpointing, Offload
from .limits import Limits
from .model import Model, RopeScaling
from .quantity import Amount, AmountIn, Fraction, KgPerKwh, KilowattHours, LitresPerKwh, Tokens, Tonnes, Watts
from .section import Count, Section, Size
from .text_types import AbsolutePath, Key, Name
from .tracking import Logging

__all__ = [
    "BatchStage",
    "Branch",
    "Carbon",
    "Checkpointing",
    "Cluster",
    "CorpusSource",
    "Data",
    "Interconnect",
    "Launch",
    "Limits",
    "LossSpike",
    "Model",
    "Optimizer",
    "Parallel",
    "Published",
    "RopeScaling",
    "Scopes",
    "Spec",
    "TokenIds",
    "Tokenizer",
    "Training",
    "Validation",
]


DecayStyle = Literal["linear", "cosine", "minus_sqrt"]
# Of a wsd run (SmolLM3, and MiniCPM, arXiv 2404.06395, section 4).
DEFAULT_DECAY = Amount.model_construct(value=0.1, unit="share")


class Optimizer(Section):
    """AdamW and its schedule. Defaults are Llama 2's (section 2.2)."""

    learning_rate: PositiveFloat = Field(description="Peak learning rate.")
    final_learning_rate: Fraction = Field(
        default=0.1, ge=0, le=1, description="Learning rate at the end, as a share of the peak."
    )
    min_learning_rate: NonNegativeFloat | None = Field(
        default=None, description="Learning rate at the end, as a rate (min_lr); in place of final_learning_rate."
    )
    schedule: Literal["cosine", "linear", "constant", "inverse_sqrt", "wsd"] = Field(
        default="cosine", description="Learning rate after warm-up; wsd: the peak, then a decay at the end."
    )
    decay: Annotated[Amount | None, AmountIn(("share", "steps", "tokens"))] = Field(
        default=None,
        exclude_if=not_,  # specs from before there was this keep their digest
        description="Length of the decay that ends a wsd schedule; by default 10% of the run.",
    )
    decay_style: DecayStyle | None = Field(
        default=None,
        exclude_if=not_,  # as above
        description="Shape of the decay that ends a wsd schedule, linear by default; minus_sqrt: 1 - sqrt.",
    )
    warmup: Annotated[Amount, AmountIn(("steps", "tokens"), zero=True)] = Field(
        default=Amount.model_construct(value=2000.0, unit="steps"), description="Linear warm-up from zero."
    )
    beta1: float = Field(default=0.9, gt=0, lt=1, description="AdamW beta1.")
    beta2: float = Field(default=0.95, gt=0, lt=1, description="AdamW beta2.")
    eps: PositiveFloat = Field(default=1e-5, description="AdamW epsilon.")
    weight_decay: NonNegativeFloat = Field(default=0.1, description="Decoupled weight decay, on matrices only.")
    gradient_clip: PositiveFloat = Field(default=1.0, description="Largest global gradient norm.")

    @property
    def final_share(self) -> float:
        """The learning rate at the end, as a share of the peak, however it was written."""
        lowest = self.min_learning_rate
        return self.final_learning_rate if lowest is None else lowest / self.learning_rate


class Checkpointing(Section):
    """When state is saved and what is kept."""

    every: Annotated[Amount | None, AmountIn(("steps", "tokens", "seconds"))] = Field(
        default=None, description="Distance between checkpoints; by default what loses least to saves and failures."
    )
    keep_last: Count = Field(default=2, description="Newest checkpoints to keep.")
    keep_every: NonNegativeInt = Field(
        default=0, description="Also keep each checkpoint whose step is a multiple of this; 0: none."
    )
    asynchronous: bool = Field(
        default=False, description="Write while training continues, from a copy in the memory of each process."
    )
    key_file: AbsolutePath | None = Field(
        default=None,
        exclude_if=not_,  # specs from before there was one keep their digest
        description="Sign checkpoints with the key in this file, which every node can read.",
    )


class Validation(Section):
    """When the held-out loss is measured."""

    every: Annotated[Amount, AmountIn(("steps", "tokens"))] = Field(
        default=Amount.model_construct(value=500.0, unit="steps"), description="Distance between validations."
    )
    batches: Count = Field(default=8, description="Global batches per validation.")


class LossSpike(Section):
    """What to do when the loss jumps."""

    action: Literal["continue", "skip", "rewind", "stop"] = Field(
        default="continue", description="Skip the batch, go back, or stop."
    )
    threshold: PositiveFloat = Field(default=1.0, description="A spike is this many nats above the running median.")


class BatchStage(Section):
    """A smaller batch at the start of a run."""

    global_batch: Annotated[Amount, AmountIn(("tokens", "sequences"))] = Field(
        description="Batch of one optimizer step in this stage."
    )
    until: Tokens = Field(gt=0, description="Tokens trained on, counted from the start, at which the stage ends.")


class Training(Section):
    """The optimisation: batch, precision, optimizer, and when to save and validate."""

    sequence_length: Size = Field(description="Tokens per sequence (context length).")
    global_batch: Annotated[Amount, AmountIn(("tokens", "sequences"))] = Field(
        description="Batch of one optimizer step."
    )
    batch_warmup: tuple[BatchStage, ...] = Field(
        default=(),
        exclude_if=not_,  # specs from before there was this keep their digest
        description="Smaller batches at the start, in order; global_batch is the batch after them.",
    )
    precision: Literal["bf16", "fp16", "fp32"] = Field(default="bf16", description="Arithmetic of both passes.")
    optimizer: Optimizer
    checkpoint: Checkpointing = Checkpointing.model_construct()
    validation: Validation = Validation.model_construct()
    loss_spike: LossSpike = LossSpike.model_construct()
    z_loss: NonNegativeFloat = Field(
        default=0.0,
        exclude_if=not_,  # as above
        description="Weight of the z-loss, the mean squared logarithm of the softmax's sum (PaLM: 1e-4).",
    )
    seed: NonNegativeInt = Field(default=0, lt=2**44, description="Seed of the initial weights.")
    compile: bool | None = Field(default=None, description="Compile rotary positions and SwiGLU; unset: on GPUs.")
    deterministic: bool = Field(
        default=False,
        exclude_if=not_,  # specs from before there was this keep their digest
        description="Use only kernels that give the same bits each time; on GPUs these are slower.",
    )
    on_change: Literal["refuse", "apply"] = Field(
        default="refuse", description="Refuse or apply a setting that differs from the checkpoint's."
    )

    @property
    def requested_sequences(self) -> float:
        """The batch that is asked for, in sequences per step; not always whole when it is written in tokens."""
        return self.in_sequences(self.global_batch)

    def in_sequences(self, batch: Amount) -> float:
        """A batch in sequences."""
        return batch.value / self.sequence_length if batch.unit == "tokens" else batch.value


class Branch(Section):
    """Where a run branches off another: `RUN@STEP`, or these keys where that run's folder is not here."""

    run: str = Field(min_length=1, description="Run folder of the trunk, as seen from the spec's folder.")
    step: Count = Field(description="Step of the checkpoint that the branch begins with.")
    tokens: Tokens = Field(gt=0, description="Tokens trained on up to that checkpoint; by default read from it.")


class Parallel(Section):
    """The layout as asked for; whatever is missing is planned."""

    data: Count | None = Field(default=None, description="Data-parallel ranks.")
    tensor: Count | None = Field(default=None, description="Tensor-parallel ranks.")
    sequence: Count | None = Field(default=None, description="Ulysses sequence-parallel ranks.")
    pipeline: Count | None = Field(
        default=None, description="Pipeline stages (1F1B), balanced by layers, embedding and head."
    )
    zero: Literal[0, 1, 2, 3] | None = Field(default=None, description="DeepSpeed ZeRO stage.")
    shard_group: Count | None = Field(default=None, description="Ranks that share one ZeRO-3 copy (hpZ).")
    micro_batch: Count | None = Field(default=None, description="Sequences per rank and forward pass.")
    activation_checkpointing: ActivationCheckpointing | None = Field(
        default=None, description="What the backward pass recomputes."
    )
    offload: Offload | None = Field(default=None, description="Keep the optimizer in host memory.")


class Scopes(Section):
    """What is counted beyond the paper's scope (GPU energy x PUE); each becomes a line of its own."""

    host: bool = Field(default=False, description="Host CPUs, memory, disks and fans.")
    network: bool = Field(default=False, description="Switches and optics.")
    embodied: bool = Field(default=False, description="Manufacture, amortised over the hardware's life.")


class Carbon(Section):
    """How energy becomes carbon, and the budget."""

    pue: float = Field(ge=1, le=3, description="Power usage effectiveness of the data centre.")
    intensity: KgPerKwh | None = Field(default=None, ge=0, description="Carbon intensity of the electricity.")
    region: Key | None = Field(
        default=None, description="A place of the grid table, e.g. us-va; used when intensity is not given."
    )
    year: int | None = Field(
        default=None, ge=2000, le=2100, description="Year of the grid table's figure; by default the newest."
    )
    scopes: Scopes = Scopes.model_construct()
    water: LitresPerKwh | None = Field(default=None, ge=0, description="Water used per kWh of the site.")
    budget_carbon: Tonnes | None = Field(
        default=None, gt=0, description="Stop cleanly after a checkpoint when this is emitted."
    )
    budget_energy: KilowattHours | None = Field(
        default=None, gt=0, description="Stop cleanly after a checkpoint when this is used."
    )


class Published(Section):
    """What a paper reports of this very run, to put beside the prediction."""

    gpu_hours: float = Field(gt=0, description="Device hours.")
    power: Watts = Field(gt=0, description="Power per device that the source counts with.")
    carbon: Tonnes | None = Field(default=None, gt=0, description="tCO2eq as printed by the source.")
    source: str = Field(description="Where this is published.")


class Spec(Section):
    """A whole training spec, resolved."""

    version: Literal[1] = Field(default=1, description="Version of the language.")
    name: Name = Field(description="Name of the run.")
    model: Model
    tokenizer: Tokenizer
    data: Data
    training: Training
    cluster: Cluster
    parallel: Parallel = Parallel.model_construct()
    carbon: Carbon
    launch: Launch = Launch.model_construct()
    limits: Limits | None = Field(default=None, exclude_if=not_, description="What the run may take at most.")
    logging: Logging | None = Field(default=None, exclude_if=not_, description="Trackers that get the curves.")
    published: Published | None = None
    extends_run: Branch | None = Field(
        default=None,
        exclude_if=not_,  # specs from before there was this keep their digest
        description="Begin with a checkpoint of another run: its weights, optimizer and place in the data.",
    )

    @property
    def compiles(self) -> bool:
        """Whether torch.compile is used: as written, else on GPUs."""
        return not self.cluster.on_cpu if self.training.compile is None else self.training.compile
