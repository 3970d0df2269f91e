"""Numbers as text: unknown is a word, units scale with the column, digits are chosen once for a column.

Rounding rule: `format()`'s, which is half to even on the unrounded value; nothing is rounded twice. What is no finite
number, as a product of hostile factors may be, is as unknown as one that is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from .display_units import COUNTS, base_unit, fitting

UNKNOWN = "unknown"
LARGEST_IN_FULL = 1e15  # a number with more digits is not read, but counted


@dataclass(frozen=True, slots=True)
class Style:
    """How a column prints: value / scale, with this many decimals, and the unit for its heading.

    `base` is the unit of the value itself.
    """

    scale: float = 1.0
    unit: str = ""
    digits: int = 2
    base: str = ""

    def __call__(self, value: float | None) -> str:
        """The value as text, in the column's unit but without it."""
        if not _is_known(value):
            return UNKNOWN
        shown = fixed(value / self.scale, self.digits)
        least = 10.0**-self.digits
        tiny = 0 < value / self.scale < 1 and float(shown) == 0  # a huge one may leave the range of a float
        return f"<{least:.{self.digits}f}" if tiny else shown


def style(values: Sequence[float | None], units: Sequence[tuple[float, str]], digits: int = 2) -> Style:
    """The first unit in which the largest value is at least 0.1; decimals that show three digits of the smallest.

    But never more than five digits of the largest: what is smaller then prints as less than the last decimal.
    """
    known = [abs(value) for value in values if _is_known(value) and value]
    largest = max(known, default=0.0)
    scale, unit = next(((s, u) for s, u in units if largest / s >= 0.1), units[-1] if known else units[0])
    smallest = min(known, default=scale) / scale
    wanted = digits if smallest >= 1 else min(2 - _exponent(smallest), 6)
    room = 4 - _exponent(largest / scale) if largest else digits
    return Style(scale, unit, max(digits, min(wanted, room)), base_unit(units))


def fixed(value: float | None, digits: int = 2) -> str:
    """A lone number with so many decimals; one that no quantity reaches in powers of ten, not in hundreds of digits."""
    if not _is_known(value):
        return UNKNOWN
    return f"{value:,.{digits}f}" if abs(value) < LARGEST_IN_FULL else f"{value:.4g}"


def significant(value: float | None, digits: int = 4) -> str:
    """A lone number to so many significant digits."""
    if not _is_known(value):
        return UNKNOWN
    return fixed(value, 0) if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def with_unit(value: float | None, units: Sequence[tuple[float, str]], digits: int = 3) -> str:
    """A lone quantity with the unit that fits it."""
    if not _is_known(value):
        return UNKNOWN
    scale, unit = fitting(value, units)
    scaled = value / scale
    decimals = max(digits - 1 - _exponent(scaled), 0) if scaled else 0
    return f"{fixed(scaled, decimals)} {unit}"


def count(value: float | None) -> str:
    """A count in words that a person reads: 1.2M, 2T."""
    if not _is_known(value):
        return UNKNOWN
    for scale, suffix in COUNTS:
        if abs(value) >= scale:
            return f"{value / scale:.4g}{suffix}"
    return f"{value:.4g}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one as per cent."""
    return f"{fixed(share * 100, digits).replace(',', '')}%" if _is_known(share) else UNKNOWN


def signed_percent(ratio: float) -> str:
    """A ratio as a change: 1.08 is +8.0%."""
    return f"{round(ratio - 1, 3) + 0.0:+.1%}"  # + 0.0: no negative zero


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _exponent(value: float) -> int:
    """The power of ten of the first digit; 0 where dividing by a unit left nothing."""
    return math.floor(math.log10(abs(value))) if value else 0
