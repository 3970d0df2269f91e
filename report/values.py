"""The report as typed values: what every format (terminal, HTML, LaTeX, JSON, ...) is written from.

`report.json` is this, dumped; its JSON Schema is `spec/report_schema.json`. None means unknown, never zero.
Units are in the names; nothing is rounded.
"""

from __future__ import annotations

import json
from operator import not_
from typing import Any, Literal

from pydantic import Field, model_validator

from ..spec import event_fields
from ..spec.device_row import DeviceRow
from ..spec.estimate import Limit, Part, Range
from ..spec.foreign_text import for_terminal
from ..spec.frozen import Frozen
from ..spec.plan import CarbonPlan

Basis = Literal["published", "planned", "measured", "partly measured", "estimated", "unknown"]


class Value(Frozen):
    """A part of a report; whatever a run calls itself, its texts are printable."""

    @model_validator(mode="before")
    @classmethod
    def _printable(cls, fields: Any) -> Any:
        return {name: _plain(value) for name, value in fields.items()} if isinstance(fields, dict) else fields


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return for_terminal(value)
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


class Row(Value):
    """One line of the emissions table, in the form of Table 2 of the Llama 2 paper.

    `carbon_tonnes` is of the paper's scope, devices and their cooling; `counted_tonnes` of all scopes that are counted.
    """

    basis: Basis
    device_hours: float | None
    power_watts: float | None
    energy_kwh: float | None
    carbon_tonnes: float | None
    counted_tonnes: float | None = None
    carbon_range: Range | None = None  # of what is counted
    cost: float | None = None
    currency: str = ""
    water_litres: float | None = None


class Change(Value):
    """One cause of the difference between plan and run: actual / planned, and its share of the difference in tonnes."""

    cause: str
    planned: float
    actual: float
    unit: str
    ratio: float
    tonnes: float


class HourPart(Value):
    """Device hours spent on one thing; `of_which` parts are contained in `everything else`."""

    part: str
    planned: float | None
    actual: float
    of_which: bool


class Attempt(Value):
    """One start of the run, up to its end; work that a later attempt had to repeat is `lost`."""

    number: int
    world_size: int | None
    from_step: int
    to_step: int
    seconds: float
    energy_kwh: float | None
    meter: str
    measured: bool
    measured_share: float | None
    lost_steps: int
    lost_energy_kwh: float | None
    ended: str
    power_cap: str
    carbon: CarbonPlan | None = None  # the factors that it counts with
    began: float | None = None  # Unix seconds


class Gap(Value):
    """A span that no meter covers."""

    attempt: int
    device: str
    seconds: float
    reason: str


class Fault(Value):
    """Something that went wrong, and what was done about it. `rank` is None when it concerns all."""

    attempt: int
    step: int | None
    rank: int | None
    what: str
    action: str


class Span(Value):
    """Where time and energy went: one phase, over all attempts."""

    phase: str
    seconds: float
    energy_kwh: float | None
    measured: bool | None


class Scope(Value):
    """One line of what is counted: tonnes, with bounds, what it rests on and where the factor is from."""

    name: str
    carbon_tonnes: float | None
    low: float | None
    high: float | None
    basis: Basis
    source: str


HeatMetric = Literal["clock_mhz", "own_seconds"]


class Outlier(Value):
    """A rank that differs from the rest, and how, in words."""

    rank: int
    node: str
    what: str

    def __str__(self) -> str:
        """As a line."""
        return f"rank {self.rank}, {self.node}: {self.what}"


class HeatMap(Value):
    """The ranks of a run over its steps: a row a rank (or band that begins with it), a column a step (or up to it)."""

    metric: HeatMetric
    ranks: tuple[int, ...]
    steps: tuple[int, ...]
    cells: tuple[tuple[float | None, ...], ...]


class Mark(Value):
    """Something that happened at a step: a restart, a checkpoint, a fault, a gap."""

    kind: Literal["restart", "checkpoint", "fault", "gap"]
    step: int
    text: str


class Curves(Value):
    """Columns of equal length, one value a kept step. `seconds`: over all attempts; power: of one device."""

    step: tuple[int, ...] = ()
    tokens: tuple[float | None, ...] = ()
    seconds: tuple[float | None, ...] = ()
    energy_kwh: tuple[float | None, ...] = ()
    carbon_tonnes: tuple[float | None, ...] = ()
    loss: tuple[float | None, ...] = ()
    perplexity: tuple[float | None, ...] = ()
    learning_rate: tuple[float | None, ...] = ()
    grad_norm: tuple[float | None, ...] = ()
    tokens_per_second: tuple[float | None, ...] = ()
    mfu: tuple[float | None, ...] = ()
    power_watts: tuple[float | None, ...] = ()
    memory_bytes: tuple[float | None, ...] = ()


class Training(Value):
    """How far the run came and how good it became. Losses are in nats per token."""

    steps: int
    planned_steps: int | None
    tokens: float | None
    final_loss: float | None
    validation_loss: float | None
    validation_perplexity: float | None
    tokens_per_second: float | None
    mfu: float | None
    unigram_entropy: float | None  # the held-out loss that token frequencies alone would reach
    peak_memory_bytes: float | None


class Lineage(Value):
    """What a branch has of the run that it extends: counted there, and in no figure of the branch."""

    run: str
    name: str
    step: int
    tokens: int
    energy_kwh: float | None  # of all runs up to there


class SourceUse(Value, event_fields.SourceUse):
    """What one source of the corpus gave to a run."""


class Run(Value):
    """Everything the report says about one run."""

    label: str
    folder: str
    name: str
    model: str
    parameters: int | None
    cluster: str
    device: str
    devices: int | None
    power_cap_watts: float | None
    status: str
    ended: float | None = None  # Unix seconds of the last event
    actual: Row
    planned: Row | None
    planned_scopes: tuple[Part, ...] = ()  # what the plan's carbon is made of
    published: Row | None
    predicted_loss: float | None = None  # at the end of training, by the estimate
    changes: tuple[Change, ...]
    hours: tuple[HourPart, ...]
    measured_share: float | None
    attempts: tuple[Attempt, ...]
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    faults: tuple[Fault, ...]
    marks: tuple[Mark, ...]
    scopes: tuple[Scope, ...]
    carbon: CarbonPlan | None  # the factors, with their sources
    limits: tuple[Limit, ...] = Field(default=(), exclude_if=not_)  # those that the spec sets
    training: Training
    inherited: Lineage | None = Field(default=None, exclude_if=not_)
    sources: tuple[SourceUse, ...] = ()
    device_uses: tuple[DeviceRow, ...] = ()
    stand_out: tuple[Outlier, ...] = ()
    heat_map: HeatMap | None = None
    curves: Curves
    validation: Curves
    missing: tuple[str, ...]


class Report(Value):
    """One run or a family of runs."""

    version: Literal[1] = 1
    generator: str
    runs: tuple[Run, ...]
    planned_total: Row | None
    actual_total: Row
    rounding: str


def report_schema() -> str:
    """The JSON Schema of report.json, as it is checked in."""
    return json.dumps(Report.model_json_schema(), indent=1, sort_keys=True) + "\n"
