"""What a run may take at most: the section `limits` of a spec.

In base units: days, tonnes, kilowatt-hours, the currency of the price, bytes, watts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field

from .display_units import BYTES, ENERGIES, MASSES, POWERS, fitting, money
from .money import MoneyAmount
from .number_text import significant, with_unit
from .quantity import Bytes, Dimension, KilowattHours, Tonnes, Watts
from .section import Section

LimitName = Literal["days", "carbon", "energy", "cost", "memory", "site_power"]

_DAY_UNITS = {"": 1.0, "d": 1.0, "day": 1.0, "days": 1.0, "weeks": 7.0}
_DAYS = Dimension("a number of days", _DAY_UNITS, ("40", "40 days"), ("",), bare=True)
_UNITS: Mapping[LimitName, tuple[tuple[float, str], ...]] = {
    "days": ((1.0, "d"),),
    "carbon": MASSES,
    "energy": ENERGIES,
    "memory": BYTES,
    "site_power": POWERS,
}


class Limits(Section):
    """What the run may take at most. `check` compares the prediction's range with it, `report` the measurement."""

    days: Annotated[float, _DAYS] | None = Field(
        default=None, gt=0, le=1e6, description="Days of training, failures and saves included."
    )
    carbon: Tonnes | None = Field(default=None, gt=0, description="Carbon of everything that the spec counts.")
    energy: KilowattHours | None = Field(default=None, gt=0, description="Energy of the devices, before PUE.")
    cost: MoneyAmount | None = Field(default=None, gt=0, description="Money for device hours; needs `cluster.price`.")
    memory: Bytes | None = Field(
        default=None, gt=0, description="Memory of one device at its peak; layouts that need more are not planned."
    )
    site_power: Watts | None = Field(
        default=None, gt=0, description="Power of all devices together at their cap, without cooling and hosts."
    )

    @property
    def given(self) -> dict[LimitName, float]:
        """The limits that are set, in base units."""
        return {name: value for name in get_args(LimitName) if (value := getattr(self, name)) is not None}


def _units(name: LimitName, currency: str) -> tuple[tuple[float, str], ...]:
    return money(currency) if name == "cost" else _UNITS[name]


def range_text(name: LimitName, bounds: tuple[float, float, float], currency: str) -> str:
    """A lower bound, a value and an upper bound in one unit; the value alone where they are equal."""
    low, value, high = bounds
    scale, unit = fitting(value, _units(name, currency))
    shown = [significant(each / scale, 3) for each in (value, low, high)]
    return f"{shown[0]} {unit}" if low == high else f"{shown[0]} ({shown[1]} to {shown[2]}) {unit}"


def limit_text(name: LimitName, value: float, currency: str = "") -> str:
    """A value of the quantity that a limit bounds, in the unit that fits it."""
    return with_unit(value, _units(name, currency))
