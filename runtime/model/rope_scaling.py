"""Rotary frequencies for contexts longer than a model was first trained with: linear, Llama 3's and YaRN's."""

from __future__ import annotations

import math

from torch import Tensor, arange

from ...spec.sections import RopeScaling


def scaled_frequencies(frequencies: Tensor, theta: float, scaling: RopeScaling) -> Tensor:
    """The angle per position of each pair of elements, [head size / 2], from those of plain rotary positions."""
    if scaling.kind == "linear":
        return frequencies / scaling.factor
    kept = _kept_llama3(frequencies, scaling) if scaling.kind == "llama3" else _kept_yarn(frequencies, theta, scaling)
    return frequencies / scaling.factor * (1 - kept) + frequencies * kept


def amplitude(scaling: RopeScaling) -> float:
    """What cosines and sines are multiplied by (YaRN, arXiv 2309.00071, equation 22)."""
    if scaling.kind != "yarn":
        return 1.0
    return scaling.attention_factor or 0.1 * math.log(scaling.factor) + 1


def _context(scaling: RopeScaling) -> int:
    if scaling.original_context is None:
        raise ValueError("original_context is missing, which TW328 says")
    return scaling.original_context


def _kept_llama3(frequencies: Tensor, scaling: RopeScaling) -> Tensor:
    """How far each frequency stays as it is: 0 for long waves, 1 for short ones, in between a line."""
    low, high = scaling.bounds
    turns = _context(scaling) * frequencies / (2 * math.pi)
    return ((turns - low) / (high - low)).clamp(0, 1)


def _kept_yarn(frequencies: Tensor, theta: float, scaling: RopeScaling) -> Tensor:
    """The same by the number of the pair, between those that turn `beta_fast` and `beta_slow` times."""
    pairs, (slow, fast) = len(frequencies), scaling.bounds

    def pair(turns: float) -> float:
        return pairs * math.log(_context(scaling) / (turns * 2 * math.pi)) / math.log(theta)

    first = max(math.floor(pair(fast)), 0)
    last = min(math.ceil(pair(slow)), 2 * pairs - 1)
    numbers = arange(pairs, device=frequencies.device, dtype=frequencies.dtype)
    return 1 - ((numbers - first) / max(last - first, 1e-3)).clamp(0, 1)
