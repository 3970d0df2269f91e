"""What the cost model is asked about: a model, a batch, a machine, a layout and the software that runs it.

Estimate, search and backtest all describe their question as one `StepCase`; `cost/step.py` answers it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import lcm
from typing import Any

from ...spec.hardware import Gpu
from ...spec.layout import Layout
from ...spec.shape import ModelShape
from .software_profile import SoftwareProfile


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """One optimizer step: the model, tokens per sequence, sequences per step, arithmetic."""

    shape: ModelShape
    sequence: int
    batch: int
    precision: str = "bf16"
    deterministic: bool = False  # only kernels that give the same bits each time

    @property
    def tokens(self) -> int:
        """Tokens of one step."""
        return self.batch * self.sequence


@dataclass(frozen=True, slots=True, eq=False)
class Hardware:
    """Devices and network. `net` is the line rate that one device can use, bytes/s one direction (0: one node)."""

    gpu: Gpu
    per_node: int
    net: float
    fabric: str
    power_cap: float | None = None
    partial: float = 1.0  # share of `net` left to groups with some, not all, of the devices that share adapters
    island: int = 0  # devices joined by NVLink, where that is less than a node


@dataclass(frozen=True, slots=True, eq=False)
class StepCase:
    """The whole question."""

    workload: Workload
    layout: Layout
    hardware: Hardware
    profile: SoftwareProfile
    speed: float = field(default=1.0)  # throughput of the device under its cap, against no cap
    host_activations: bool = False  # what full recomputation keeps lies in host memory
    memo: dict[object, Any] = field(default_factory=dict[object, Any], init=False)  # so that `replace` begins anew

    def about(self, layout: Layout) -> StepCase:
        """The same question about another layout, and the batch that it makes; both share a memo."""
        workload = replace(self.workload, batch=layout.global_batch)
        other = StepCase(workload, layout, self.hardware, self.profile, self.speed, self.host_activations)
        object.__setattr__(other, "memo", self.memo)
        return other

    @property
    def replicas(self) -> int:
        """Ranks over which ZeRO could shard: those that differ in samples or in parts of a sequence."""
        return self.layout.data * self.layout.sequence * self.layout.context

    @property
    def shards(self) -> int:
        """Ranks over which ZeRO shards; hpZ shards over all of them and keeps a second copy in each group."""
        asked = 0 if self.profile.hpz else self.layout.shard_group
        return min(asked or self.replicas, self.replicas)

    @property
    def kv_size(self) -> int:
        """Elements of one token's keys (or values) in attention: Ulysses repeats heads until it can deal them out."""
        shape, layout = self.workload.shape, self.layout
        held = max(1, shape.kv_heads // layout.tensor)
        return lcm(held, layout.sequence) * shape.kv_size // held

    @property
    def tokens_per_rank(self) -> int:
        """Tokens of one micro batch on one rank."""
        layout = self.layout
        return layout.micro_batch * self.workload.sequence // (layout.sequence * layout.context)
