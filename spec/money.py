"""Money with its currency: `1.80 EUR/h`, `2M USD`. No rate of exchange is ever assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from .facts import facts
from .quantity import Dimension, QuantityError

_SCALES = {"": 1.0, "k ": 1e3, "M ": 1e6}


class Money(float):
    """An amount of money; `currency` is its code in ISO 4217."""

    __slots__ = ("currency",)
    currency: str

    def __new__(cls, amount: float, currency: str) -> Self:
        """So much of a currency."""
        made = super().__new__(cls, amount)
        made.currency = currency
        return made

    def __reduce__(self) -> tuple[type[Money], tuple[float, str]]:
        """What a copy is made of."""
        return Money, (float(self), self.currency)


@dataclass(frozen=True, slots=True, eq=False)
class MoneyDimension(Dimension):
    """A kind of money, used as pydantic metadata; `per` is what stands behind the currency, such as `/h`."""

    per: str = ""

    def parse(self, text: str) -> Money:
        """The amount of `text`. Raises QuantityError."""
        amount = Dimension.parse(self, text)
        return Money(amount, text.strip().removesuffix(self.per)[-3:])

    def text(self, value: float) -> str:
        """`value` as a spec writes it."""
        number = f"{int(value)}" if value == int(value) and abs(value) < 1e15 else repr(float(value))
        return f"{number} {value.currency}{self.per}" if isinstance(value, Money) else number

    def _money(self, value: Any, info: ValidationInfo) -> Money:
        if isinstance(value, Money):
            return value
        read = self._read(value, info)
        if not isinstance(read, Money):  # a number that is not of a spec, without a currency
            raise QuantityError(f"{value!r} has no currency", self._forms())
        return read

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(self._money)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        pattern = rf"^\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?\s*(k |M )?[A-Z]{{3}}{self.per}\s*$"
        return {"type": "string", "pattern": pattern, "examples": list(self.examples)}


def _units(per: str) -> dict[str, float]:
    codes = facts("currencies")["codes"].split()
    return {f"{scale}{code}{per}": factor for code in codes for scale, factor in _SCALES.items()}


AMOUNT = MoneyDimension("an amount of money", _units(""), ("500000 USD", "1.2M EUR"), ())
PRICE = MoneyDimension("a price", _units("/h"), ("1.80 USD/h", "1.65 EUR/h"), (), per="/h")

Price = Annotated[Money, PRICE]
MoneyAmount = Annotated[Money, AMOUNT]
