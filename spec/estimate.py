"""The estimate: what the compiler predicts, written to estimate.json and put beside the measurement by the report."""

from __future__ import annotations

from operator import not_
from typing import Literal

from pydantic import AliasChoices, Field

from .frozen import Frozen
from .limits import LimitName, limit_text, range_text
from .money import Money
from .number_text import UNKNOWN

USD = "USD"  # what estimates from before there were other currencies are in
Verdict = Literal["kept", "at risk", "broken", "unknown"]


class Range(Frozen):
    """A prediction with its bounds, and the assumption that dominates their width."""

    value: float
    low: float
    high: float
    because: str = ""


class Part(Frozen):
    """One named share of a whole (bytes of memory, seconds of a step, tonnes of a scope)."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    source: str = ""


class Limit(Frozen):
    """A limit of the spec, and what is predicted or measured of it (bounds are equal where there is no range)."""

    name: LimitName
    most: float
    found: Range | None
    verdict: Verdict
    currency: str = Field(default="", exclude_if=not_)  # of money, as the spec writes it

    @classmethod
    def of(cls, name: LimitName, most: float, found: Range | None) -> Limit:
        """The limit against a range: broken where all of it lies beyond, at risk where a part of it does."""
        currency = most.currency if isinstance(most, Money) else ""
        if found is None:
            return cls(name=name, most=most, found=None, verdict="unknown", currency=currency)
        verdict = "broken" if found.low > most else "at risk" if found.high > most else "kept"
        return cls(name=name, most=most, found=found, verdict=verdict, currency=currency)

    def against(self, found: Range | None) -> Limit:
        """The same limit against something else."""
        return Limit.of(self.name, self.most, found).model_copy(update={"currency": self.currency})

    @property
    def most_text(self) -> str:
        """The limit, with its unit."""
        return limit_text(self.name, self.most, self.currency or USD)

    @property
    def found_text(self) -> str:
        """What was found, with its range where it has one."""
        if self.found is None:
            return UNKNOWN
        return range_text(self.name, (self.found.low, self.found.value, self.found.high), self.currency or USD)


class Estimate(Frozen):
    """Everything predicted for one spec. `None` means unknown, never zero. Units are in the names."""

    name: str
    model: str
    cluster: str
    device: str
    devices: int
    parameters: int
    tokens: int
    power_cap_watts: float | None
    power_limit_watts: float | None = None  # the cap, or without one the device's default limit
    layout: dict[str, int | str | bool]
    step_seconds: Range | None
    tokens_per_second: Range | None
    mfu: Range | None  # attention counted in full, as papers do
    mfu_causal: Range | None = None  # what a causal mask leaves of it
    memory_bytes: Range
    memory_parts: tuple[Part, ...]
    memory_limit_bytes: int | None
    time_parts: tuple[Part, ...] = ()
    device_hours: Range | None
    days: Range | None
    power_watts: Range | None
    energy_kwh: Range | None
    carbon_tonnes: Range | None
    paper_carbon_tonnes: float | None
    scope_parts: tuple[Part, ...] = ()
    cost: Range | None = Field(default=None, validation_alias=AliasChoices("cost", "cost_usd"))
    currency: str = USD  # of `cost`, as the spec writes it
    water_litres: Range | None = None
    goodput: float | None = None
    checkpoint_seconds: float | None = None  # between saves
    sequences_per_step: int | None = None
    software: str = ""  # the profile that was asked (facts/software.yaml)
    final_loss: Range | None = None
    pue: float
    intensity_kg_per_kwh: float
    intensity_source: str
    published_device_hours: float | None = None
    published_carbon_tonnes: float | None = None
    published_power_watts: float | None = None
    limits: tuple[Limit, ...] = Field(default=(), exclude_if=not_)  # those that the spec sets
    notes: tuple[str, ...] = ()
