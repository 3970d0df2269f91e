"""Small arithmetic for messages that name the nearest thing that works."""

from __future__ import annotations

import math


def divisors(number: int) -> list[int]:
    """All divisors of a positive number, in order."""
    low = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    return low + [number // n for n in reversed(low) if n * n != number]


def nearest_divisors(number: int, wanted: int) -> str:
    """The divisors of `number` next below and above `wanted`, for a message."""
    all_of_them = divisors(number)
    below = [n for n in all_of_them if n <= wanted][-1:]
    above = [n for n in all_of_them if n > wanted][:1]
    return " or ".join(str(n) for n in below + above)
