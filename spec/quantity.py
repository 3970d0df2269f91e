"""Quantities with units: `400 W`, `200 Gbps`, `2T tokens`, `48h` become plain numbers in one base unit each.

Base units: watts, bytes, bytes per second, seconds, tokens, kg CO2eq per kWh, fractions of one; money is in `money.py`.
Language rule: a bare number is refused where a unit is needed; the plan (JSON) holds bare numbers in base units, so
strictness is asked for by the validation context `{"units": True}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from .frozen import Frozen
from .problem import shortened
from .unit_spelling import sound

LARGEST = 1e24  # nothing that a spec can mean is larger, in any base unit

_SCALE = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_NUMBER = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(.*)")


class QuantityError(ValueError):
    """Text that is no quantity: `message` says what is wrong, `remedy` what to write instead, each a sentence."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}. {remedy}")


def _split(text: str) -> tuple[str, str] | None:
    """The number and the unit of a quantity, or None when it does not start with a number."""
    match = _NUMBER.fullmatch(text.strip())
    return (match.group(1), match.group(2)) if match else None


def _plain_number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


_CLOCK_FORMS = r"([0-9]{1,4}-)[0-9]{1,4}:[0-5]?[0-9](:[0-5]?[0-9])?|[0-9]{1,4}:[0-5]?[0-9]:[0-5]?[0-9]"
_CLOCK = re.compile(r"(?:([0-9]{1,4})-)?([0-9]{1,4}):([0-5]?[0-9])(?::([0-5]?[0-9]))?")


def _clock_seconds(text: str, clock: re.Match[str]) -> float:
    """Seconds of `[days-]hours:minutes:seconds`. Raises QuantityError where two numbers may be hours or minutes."""
    days, hours, minutes, seconds = clock.groups()
    if days is None and seconds is None:
        message = f"{_quoted(text)} may be hours or minutes"
        raise QuantityError(message, f"Write for example {hours}:{minutes}:00 or 90 min.")
    return float(((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds or 0))


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    """A kind of quantity, used as pydantic metadata: `Annotated[float, POWER]` reads `400 W`.

    `units` gives the factor of each accepted unit, `written` those that we write, largest first; `integer` rounds to
    a whole number, `bare` also takes a number without a unit, `clock` also Slurm's `24:00:00` and `1-00:00:00`.
    """

    name: str
    units: Mapping[str, float]
    examples: tuple[str, ...]
    written: tuple[str, ...]
    integer: bool = False
    bare: bool = False
    clock: bool = False

    def parse(self, text: str) -> float | int:
        """The value of `text` in base units. Raises QuantityError."""
        if self.clock and (clock := _CLOCK.fullmatch(text.strip())):
            return _clock_seconds(text, clock)
        parts = _split(text)
        if parts is None:
            raise QuantityError(f"{_quoted(text)} is not {self.name}", self._forms())
        number, unit = parts
        if unit not in self.units:
            raise self._wrong_unit(text, unit)
        if not abs(float(number) * self.units[unit]) < LARGEST:
            raise QuantityError(f"{_quoted(text)} is too large", self._forms())
        value = float(Decimal(number) * Decimal(str(self.units[unit])))  # in decimals, so that 57% is 0.57
        return round(value) if self.integer else value

    def text(self, value: float) -> str:
        """`value` as a spec writes it: in the largest unit that is at least one and loses nothing."""
        for unit in self.written:
            number = value / self.units[unit]
            shown = _plain_number(number) + ("" if unit in _SCALE else " ") + unit
            if abs(number) >= 1 and len(shown) < 16 and self.parse(shown) == value:
                return shown
        unit = self.written[-1]
        return f"{_plain_number(value / self.units[unit])} {unit}".strip()

    def _wrong_unit(self, text: str, unit: str) -> QuantityError:
        if not unit:
            return QuantityError(f"{_quoted(text)} has no unit", self._forms())
        meant = [known for known in self.units if known and sound(known) == sound(unit)]
        guess = f"Did you mean {' or '.join(meant)}? " if meant else ""
        return QuantityError(f"{_quoted(unit)} is not a unit of {self.name}", guess + self._forms())

    def _forms(self) -> str:
        units = [unit for unit in self.units if unit]
        accepted = f" (units: {', '.join(units)})" if len(units) < 10 else ""
        return f"Write for example {' or '.join(self.examples)}{accepted}."

    def _read(self, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            return self.parse(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise QuantityError(f"{_kind(value)} is not {self.name}", self._forms())
        if _in_spec(info) and not self.bare:
            raise QuantityError(f"{_quoted(str(value))} has no unit", self._forms())
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        units = "|".join(sorted(self.units, key=len, reverse=True))
        number = rf"[+-]?[0-9.]+([eE][+-]?[0-9]+)?\s*({units})"
        pattern = f"({number}|{_CLOCK_FORMS})" if self.clock else number
        text = {"type": "string", "pattern": rf"^\s*{pattern}\s*$"}
        kind = {"anyOf": [text, {"type": "number"}]} if self.bare else text
        return {**kind, "examples": list(self.examples)}


def _in_spec(info: ValidationInfo) -> bool:
    return bool(info.context and info.context.get("units"))


def _kind(value: Any) -> str:
    names = {type(None): "an empty value", bool: "true or false", dict: "a mapping", tuple: "a list", list: "a list"}
    return names.get(type(value), _quoted(str(value)))


def _quoted(text: str) -> str:
    return repr(shortened(text, 40))


def _counts(*words: str) -> dict[str, float]:
    """`4M`, and with each word `4M tokens`."""
    units = {scale: factor for scale, factor in _SCALE.items() if scale}
    for word in words:
        units |= {f"{scale} {word}".strip(): factor for scale, factor in _SCALE.items()}
    return units


def _scaled(unit: str, prefixes: Mapping[str, float]) -> dict[str, float]:
    return {prefix + unit: factor for prefix, factor in prefixes.items()}


_TIME = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "days": 86400.0, "hours": 3600.0}
_BYTES = {
    **_scaled("B", {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}),
    **_scaled("iB", {"K": 2.0**10, "M": 2.0**20, "G": 2.0**30, "T": 2.0**40}),
}
_RATES = {
    **_scaled("bps", {"": 1 / 8, "M": 1e6 / 8, "G": 1e9 / 8, "T": 1e12 / 8}),
    **_scaled("B/s", {"": 1.0, "M": 1e6, "G": 1e9, "T": 1e12}),
}

POWER = Dimension("a power", {"W": 1.0, "kW": 1e3, "MW": 1e6}, ("400 W",), ("W",))
ENERGY = Dimension("an energy", {"kWh": 1.0, "MWh": 1e3, "Wh": 1e-3}, ("12 kWh", "1.5 MWh"), ("MWh", "kWh"))
MEMORY = Dimension(
    "an amount of memory", _BYTES, ("80 GiB", "2 TB"), ("TB", "GiB", "GB", "MiB", "MB", "kB", "B"), integer=True
)
BANDWIDTH = Dimension("a bandwidth", _RATES, ("200 Gbps", "25 GB/s"), ("Gbps", "Mbps", "B/s"))
TIME = Dimension("a time", _TIME, ("48h", "30 min", "1-00:00:00"), ("h", "min", "s"), clock=True)
TOKENS = Dimension(
    "a number of tokens", _counts("tokens"), ("2T", "300M tokens"), ("T", "B", "M", "tokens"), integer=True
)
INTENSITY = Dimension("a carbon intensity", {"kg/kWh": 1.0, "g/kWh": 1e-3}, ("0.385 kg/kWh", "385 g/kWh"), ("kg/kWh",))
MASS = Dimension("a mass of CO2eq", {"t": 1.0, "kg": 1e-3, "g": 1e-6}, ("1.5 t", "20 kg"), ("t",))
WATER = Dimension("a water rate", {"L/kWh": 1.0}, ("1.8 L/kWh",), ("L/kWh",))
FRACTION = Dimension("a share", {"%": 0.01, "": 1.0}, ("1%", "0.01"), ("",), bare=True)

Watts = Annotated[float, POWER]
KilowattHours = Annotated[float, ENERGY]
Bytes = Annotated[int, MEMORY]
BytesPerSecond = Annotated[float, BANDWIDTH]
Seconds = Annotated[float, TIME]
Tokens = Annotated[int, TOKENS]
KgPerKwh = Annotated[float, INTENSITY]
Tonnes = Annotated[float, MASS]
LitresPerKwh = Annotated[float, WATER]
Fraction = Annotated[float, FRACTION]

Unit = Literal["steps", "tokens", "sequences", "seconds", "share"]


class Amount(Frozen):
    """A count that may be said in several units: `2000 steps`, `4M tokens`, `1024 sequences`, `2 h`, `10%`."""

    value: float
    unit: Unit

    @property
    def text(self) -> str:
        """The amount as a spec writes it."""
        if self.unit == "seconds":
            return TIME.text(self.value)
        if self.unit == "tokens":
            return f"{TOKENS.text(self.value).removesuffix(' tokens')} tokens"
        if self.unit == "share":
            return f"{_plain_number(float(Decimal(str(self.value)) * 100))}%"
        return f"{_plain_number(self.value)} {self.unit}"


_AMOUNTS: Mapping[Unit, tuple[Dimension, str]] = {
    "steps": (Dimension("a number of steps", _counts("steps", "step"), (), ()), "2000 steps"),
    "tokens": (TOKENS, "4M tokens"),
    "sequences": (Dimension("a number of sequences", _counts("sequences", "sequence"), (), ()), "1024 sequences"),
    "seconds": (TIME, "2 h"),
    "share": (Dimension("a share", {"%": 0.01}, (), ()), "10%"),
}


@dataclass(frozen=True, slots=True)
class AmountIn:
    """Pydantic metadata of an `Amount` that may use the given units: `Annotated[Amount, AmountIn("steps")]`."""

    units: tuple[Unit, ...]
    zero: bool = False  # whether none at all is an amount

    def parse(self, text: str) -> Amount:
        """The amount that `text` says. Raises QuantityError."""
        parts = _split(text)
        for name in self.units:
            dimension = _AMOUNTS[name][0]
            # "4M" alone could be tokens or steps: the word is needed, except for times and shares.
            if parts and parts[1] in dimension.units and (name in _ALONE or parts[1].endswith(_NOUNS)):
                value = float(dimension.parse(text))
                if value < 0 or (value == 0 and not self.zero):
                    raise QuantityError(f"{_quoted(text)} is not more than zero", self._forms())
                return Amount(value=value, unit=name)
        raise QuantityError(f"{_quoted(text)} {self._wrong(parts)}", self._forms())

    def _wrong(self, parts: tuple[str, str] | None) -> str:
        if parts is None:
            return f"is not a number of {' or '.join(self.units)}"
        if parts[1] in _SCALE:
            return f"does not say of what: {' or '.join(self.units)}" if parts[1] else "has no unit"
        return f"is not counted in {' or '.join(self.units)}"

    def _forms(self) -> str:
        return f"Write for example {' or '.join(_AMOUNTS[name][1] for name in self.units)}."

    def _read(self, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            return self.parse(value)
        if isinstance(value, Amount) or (isinstance(value, dict | None) and not _in_spec(info)):
            return value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        wrong = "has no unit" if number else f"is not a number of {' or '.join(self.units)}"
        raise QuantityError(f"{_kind(value)} {wrong}", self._forms())

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^\s*[+-]?[0-9.]+",
            "examples": [_AMOUNTS[name][1] for name in self.units],
        }


_ALONE = ("seconds", "share")  # whose units are of no other amount
_NOUNS = ("step", "steps", "tokens", "sequence", "sequences")
