"""The parallel layout: how one training step is spread over GPUs."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from .frozen import Frozen

ActivationCheckpointing = Literal["none", "selective", "full"]
Offload = Literal["none", "optimizer"]


class Layout(Frozen):
    """A complete, legal or illegal, parallel layout; every degree is a plain count of ranks.

    data x sequence x tensor x pipeline = GPUs, where `data` counts the ranks that see different samples.
    `shard_group` is the number of ranks over which ZeRO shards (0: all data x sequence ranks; a node's: hpZ, MiCS).
    `context`, `interleave` and `uneven_stages` (context parallel, virtual pipeline stages, fewer layers where embedding
    and head are) are planned only for stacks that run them (facts/software.yaml: layouts).
    """

    data: PositiveInt = 1
    tensor: PositiveInt = 1
    sequence: PositiveInt = 1
    pipeline: PositiveInt = 1
    context: PositiveInt = 1
    interleave: PositiveInt = 1
    uneven_stages: bool = False
    zero: Literal[0, 1, 2, 3] = 1
    shard_group: int = 0
    micro_batch: PositiveInt = 1
    accumulation: PositiveInt = 1
    activation_checkpointing: ActivationCheckpointing = "none"
    offload: Offload = "none"
    megatron_sequence: bool = False

    @property
    def gpus(self) -> int:
        """Ranks in all."""
        return self.data * self.sequence * self.context * self.tensor * self.pipeline

    @property
    def global_batch(self) -> int:
        """Sequences in one optimizer step."""
        return self.data * self.micro_batch * self.accumulation

    def with_batch(self, sequences: int) -> Layout:
        """The same layout for another global batch, which its ranks must be able to share evenly."""
        return self.model_copy(update={"accumulation": sequences // (self.data * self.micro_batch)})
