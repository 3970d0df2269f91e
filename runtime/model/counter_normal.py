"""Normal random numbers that depend on a key and a position alone: the same on every device, and for every slice.

torch's own generators give other numbers on a CPU, an A100 and an H100, since they deal positions to threads. Here each
position is hashed (the finalizer of SplitMix64, Steele, Lea and Flood, 2014) and looked up in a table of quantiles:
integer operations and single, correctly rounded ones, whose bits are equal wherever they are computed.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

BLOCK = {"cpu": 2**13, "cuda": 2**22}  # positions at a time: the hash holds a few 64-bit numbers for each
CELLS = 2**16  # of the table; the numbers between two quantiles lie on a line. The largest is 4.3 standard deviations
INCREMENT = 0x9E3779B97F4A7C15  # of SplitMix64: 2^64 divided by the golden ratio
FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@torch.no_grad()
def fill_normal(weight: Tensor, std: float, key: int) -> None:
    """Fill `weight`, of any shape and type, with the numbers of `key`, of mean 0 and standard deviation `std`."""
    flat, table, start = weight.view(-1), _quantiles(weight.device), _signed(_mix_integer(key))
    size = BLOCK[weight.device.type]
    for first in range(0, len(flat), size):
        part = flat[first : first + size]
        positions = torch.arange(first, first + len(part), device=weight.device)
        part.copy_(_normal(positions, start, table).mul_(std))


def _normal(positions: Tensor, start: int, table: Tensor) -> Tensor:
    """Positions [n] -> fp32 [n]."""
    bits = _mixed(positions * _signed(INCREMENT) + start)
    cell = bits & (CELLS - 1)
    place = _shifted(bits, 40).float().mul_(2.0**-24)  # within the cell, from 0 to 1: 24 bits, which fp32 holds exactly
    low = table[cell]
    return table[cell + 1].sub_(low).mul_(place).add_(low)


def _mixed(x: Tensor) -> Tensor:
    """The hash of 64-bit numbers, in place."""
    for shift, factor in zip((30, 27), FACTORS, strict=True):
        x.bitwise_xor_(_shifted(x, shift)).mul_(_signed(factor))
    return x.bitwise_xor_(_shifted(x, 31))


def _shifted(x: Tensor, by: int) -> Tensor:
    """To the right, with zeros from the left: torch shifts signed numbers."""
    return (x >> by).bitwise_and_((1 << (64 - by)) - 1)


def _mix_integer(x: int) -> int:
    for shift, factor in zip((30, 27), FACTORS, strict=True):
        x = (x ^ (x >> shift)) * factor % 2**64
    return x ^ (x >> 31)


def _signed(x: int) -> int:
    """The same 64 bits as torch's signed integer."""
    return x - 2**64 if x >= 2**63 else x


@cache
def _quantiles(device: torch.device) -> Tensor:
    """Of the standard normal distribution, at the middles of CELLS + 1 equal parts; fp32, worked out on the CPU."""
    middles = (torch.arange(CELLS + 1, dtype=torch.float64) + 0.5) / (CELLS + 1)
    return torch.special.ndtri(middles).float().to(device)
