"""Quantities with units: `400 W`, `200 Gbps`, `2T tokens`, `48h` become plain numbers in one base unit each.

Base units: watts, bytes, bytes per second, seconds, tokens, kg CO2eq per kWh, USD per hour, fractions of one.
Language rule: a bare number is refused where a unit is needed; the plan (JSON) holds bare numbers in base units, so
strictness is asked for by the validation context `{"units": True}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, WithJsonSchema

_SCALE = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_NUMBER = re.compile(r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)$")


def _scaled(unit: str) -> dict[str, float]:
    return {scale + unit: factor for scale, factor in _SCALE.items() if scale != "B"}


@dataclass(frozen=True, slots=True)
class Dimension:
    """A kind of quantity: what it is called, the factor of each accepted unit, and examples for messages."""

    name: str
    units: Mapping[str, float]
    examples: tuple[str, ...]
    integer: bool = False
    bare: bool = False  # a number without unit is fine

    def parse(self, text: str) -> float | int:
        """The value of `text` in base units. Raises ValueError with what to write instead."""
        match = _NUMBER.match(text.strip())
        unit = match.group(2).strip() if match else ""
        if match is None or unit not in self.units:
            raise ValueError(f"{text!r} is not {self.name}; write for example {' or '.join(self.examples)}")
        value = float(match.group(1)) * self.units[unit]
        if value in (float("inf"), float("-inf")):
            raise ValueError(f"{text!r} is too large")
        return round(value) if self.integer else value


def _counts(*words: str) -> dict[str, float]:
    units = {s: f for s, f in _SCALE.items() if s}
    for word in words:
        units |= {f"{s} {word}".strip(): f for s, f in _SCALE.items()}
    return units


_TIME = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "days": 86400.0, "hours": 3600.0}

POWER = Dimension("a power", {"W": 1.0, "kW": 1e3, "MW": 1e6}, ("400 W",))
ENERGY = Dimension("an energy in kWh", {"kWh": 1.0, "MWh": 1e3, "Wh": 1e-3}, ("12 kWh", "1.5 MWh"))
MEMORY = Dimension(
    "an amount of memory",
    {"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12},
    ("80 GiB", "2 TB"),
    integer=True,
)
BANDWIDTH = Dimension(
    "a bandwidth",
    {"bps": 1 / 8, "Mbps": 1e6 / 8, "Gbps": 1e9 / 8, "Tbps": 1e12 / 8, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12},
    ("200 Gbps", "25 GB/s"),
)
TIME = Dimension("a time", _TIME, ("48h", "30 min"))
TOKENS = Dimension("a number of tokens", _counts("tokens"), ("2T", "300M tokens"), integer=True)
INTENSITY = Dimension("a carbon intensity", {"kg/kWh": 1.0, "g/kWh": 1e-3}, ("0.385 kg/kWh", "385 g/kWh"))
MASS = Dimension("a mass of CO2eq in tonnes", {"t": 1.0, "kg": 1e-3, "g": 1e-6}, ("1.5 t", "20 kg"))
PRICE = Dimension("a price", {"USD/h": 1.0}, ("1.80 USD/h",))
WATER = Dimension("a water rate", {"L/kWh": 1.0}, ("1.8 L/kWh",))
FRACTION = Dimension("a share", {"%": 0.01, "": 1.0}, ("1%", "0.01"), bare=True)


def quantity(dimension: Dimension) -> BeforeValidator:
    """A pydantic validator that reads text with a unit, and bare numbers only where the context allows them."""

    def read(value: Any, info: ValidationInfo) -> Any:
        strict = bool(info.context and info.context.get("units")) and not dimension.bare
        if isinstance(value, str):
            return dimension.parse(value)
        if strict or isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{value!r} is not {dimension.name}; write for example {' or '.join(dimension.examples)}")
        return value

    return BeforeValidator(read)


def _schema(dimension: Dimension) -> WithJsonSchema:
    kind: Any = ["string", "number"] if dimension.bare else "string"
    return WithJsonSchema({"type": kind, "description": dimension.name, "examples": list(dimension.examples)})


Watts = Annotated[float, quantity(POWER), _schema(POWER)]
KilowattHours = Annotated[float, quantity(ENERGY), _schema(ENERGY)]
Bytes = Annotated[int, quantity(MEMORY), _schema(MEMORY)]
BytesPerSecond = Annotated[float, quantity(BANDWIDTH), _schema(BANDWIDTH)]
Seconds = Annotated[float, quantity(TIME), _schema(TIME)]
Tokens = Annotated[int, quantity(TOKENS), _schema(TOKENS)]
KgPerKwh = Annotated[float, quantity(INTENSITY), _schema(INTENSITY)]
Tonnes = Annotated[float, quantity(MASS), _schema(MASS)]
UsdPerHour = Annotated[float, quantity(PRICE), _schema(PRICE)]
LitresPerKwh = Annotated[float, quantity(WATER), _schema(WATER)]
Fraction = Annotated[float, quantity(FRACTION), _schema(FRACTION)]


class Amount(BaseModel):
    """A count that may be said in several units: `2000 steps`, `4M tokens`, `1024 sequences`, `2 h`, `1 epochs`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    unit: Literal["steps", "tokens", "sequences", "seconds", "epochs"]


def amount(*units: Literal["steps", "tokens", "sequences", "seconds", "epochs"]) -> tuple[BeforeValidator, WithJsonSchema]:
    """The validator and the schema of an `Amount` that may use the given units."""
    forms = {"steps": "2000 steps", "tokens": "4M tokens", "sequences": "1024 sequences", "seconds": "2 h", "epochs": "1 epochs"}
    examples = [forms[unit] for unit in units]

    def read(value: Any) -> Any:
        if isinstance(value, Amount | dict):
            return value
        if isinstance(value, str):
            for unit in units:
                table = _TIME if unit == "seconds" else {f"{s} {unit}".strip(): f for s, f in _SCALE.items()}
                match = _NUMBER.match(value.strip())
                if match and match.group(2).strip() in table:
                    return Amount(value=float(match.group(1)) * table[match.group(2).strip()], unit=unit)
        raise ValueError(f"{value!r} needs a unit; write for example {' or '.join(examples)}")

    return BeforeValidator(read), WithJsonSchema({"type": "string", "examples": examples})
