"""The plan: everything the runtime needs to train, as one frozen value (plan.json in the bundle)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from pydantic import PositiveInt

from .frozen import Frozen
from .layout import Layout
from .sections import Data, Model, Tokenizer, Training


class Schedule(Frozen):
    """Steps and tokens, worked out from the spec's amounts."""

    steps: PositiveInt
    warmup_steps: int
    sequences_per_step: PositiveInt
    tokens_per_step: PositiveInt
    validate_every: PositiveInt
    checkpoint_every: PositiveInt | None
    checkpoint_seconds: float | None = None


class Device(Frozen):
    """The hardware as the runtime must know it."""

    kind: Literal["cpu", "cuda"]
    name: str
    count: PositiveInt
    per_node: PositiveInt
    power_cap_watts: float | None
    power_cap_mode: str
    assumed_watts: float | None
    peak_flops: float | None
    interconnect: str
    link_bandwidth: float | None = None  # the same between devices of a node; None: PCIe
    fabric_bandwidth: float | None = None  # bytes a second of one device between nodes, one direction, as claimed


class CarbonPlan(Frozen):
    """Factors of the emissions table, with their source, and the budget."""

    pue: float
    intensity_kg_per_kwh: float
    intensity_source: str
    place: str | None = None  # where the electricity comes from, in words
    budget_tonnes: float | None = None
    budget_kwh: float | None = None


class Plan(Frozen):
    """What the compiler hands to the runtime."""

    version: Literal[1] = 1
    name: str
    spec_sha256: str
    model: Model
    tokenizer: Tokenizer
    data: Data
    training: Training
    schedule: Schedule
    layout: Layout
    device: Device
    carbon: CarbonPlan

    @property
    def samples(self) -> int:
        """Samples that training takes in all."""
        return math.ceil(self.data.tokens / self.training.sequence_length)


def read_plan(bundle: Path) -> Plan:
    """The plan of a bundle folder. Raises OSError or pydantic.ValidationError when it is missing or was edited."""
    return Plan.model_validate_json((bundle / "plan.json").read_text(encoding="utf-8"))
