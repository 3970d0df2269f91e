"""The plan: everything the runtime needs to train, as one frozen value (plan.json in the bundle)."""

from __future__ import annotations

import math
from operator import not_
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt, ValidationError

from .batches import BatchSteps, run_batches, samples_after
from .foreign_files import read_json
from .frozen import Frozen
from .layout import Layout
from .problem import InputError
from .sections import Branch, Data, Model, Tokenizer, Training
from .tracking import Logging

VERSION = 1  # of plan.json


class Schedule(Frozen):
    """Steps and tokens, worked out from the spec's amounts. `sequences_per_step` is the batch after its warm-up."""

    steps: PositiveInt
    warmup_steps: int
    decay_steps: PositiveInt | None = Field(default=None, exclude_if=not_)  # at the end of a wsd schedule
    sequences_per_step: PositiveInt
    tokens_per_step: PositiveInt
    validate_every: PositiveInt
    checkpoint_every: PositiveInt | None
    checkpoint_seconds: float | None = None
    batch_warmup: tuple[BatchSteps, ...] = Field(default=(), exclude_if=not_)
    inherited_samples: int = Field(default=0, exclude_if=not_)  # of the run that this one branches off

    @property
    def batches(self) -> tuple[BatchSteps, ...]:
        """Every batch of the run, in order; the last has no end."""
        return run_batches(self.batch_warmup, self.sequences_per_step)

    def full_steps(self, steps: int) -> float:
        """The first `steps` steps, counted in steps of `sequences_per_step`."""
        return samples_after(self.batches, steps) / self.sequences_per_step if self.batch_warmup else steps

    @property
    def own_steps(self) -> float:
        """The run's steps without inherited ones, counted in steps of `sequences_per_step`."""
        return self.full_steps(self.steps) - self.inherited_samples / self.sequences_per_step


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
    logging: Logging | None = Field(default=None, exclude_if=not_)
    extends_run: Branch | None = Field(default=None, exclude_if=not_)

    @property
    def samples(self) -> int:
        """Samples that training takes in all."""
        return math.ceil(self.data.tokens / self.training.sequence_length)


def read_plan(bundle: Path) -> Plan:
    """The plan of a bundle folder. Raises InputError TW801 when it is missing, of another version or was edited."""
    file = bundle / "plan.json"
    try:
        return parse_plan(read_json(file))
    except (OSError, ValueError) as error:
        message = f"{file} cannot be used: {error.strerror if isinstance(error, OSError) else error}"
        raise InputError.one("TW801", message, "Compile the spec again with this Trainwright.", str(bundle)) from error


def parse_plan(value: Any) -> Plan:
    """The plan in a JSON value. Raises ValueError, in one sentence, when it is not a plan of this version."""
    version = value.get("version", VERSION) if isinstance(value, dict) else VERSION
    if version != VERSION:
        raise ValueError(f"it is a plan of version {version!r:.40}, and this Trainwright reads version {VERSION}")
    try:
        return Plan.model_validate(value)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the file"
        raise ValueError(f"it is not a plan of this version: {place}: {fault['msg']}") from error
