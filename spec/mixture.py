"""How several sources share the samples of a run: by their written weights, or in proportion to their tokens."""

from __future__ import annotations

from collections.abc import Sequence

PERIOD = 4096  # samples in which a mixture keeps its weights
LONGEST_PERIOD = 2**20  # where a weight is so small that 4,096 samples would not hold it well
_DRAWS = 64  # of the rarest source in a period: its share is then met within 1%


def shares(weights: Sequence[float | None], tokens: Sequence[float]) -> list[float]:
    """The part of the samples that each source gives; unwritten weights are its tokens.

    `weights` are all written or all not: `check` refuses a mixture of both.
    """
    written = [weight for weight in weights if weight is not None]
    parts = written if len(written) == len(weights) else list(tokens)
    return [part / sum(parts) for part in parts]


def epochs(total: float, share: Sequence[float], tokens: Sequence[float]) -> list[float]:
    """How often each source's text is seen when `total` tokens are drawn."""
    return [total * part / size for part, size in zip(share, tokens, strict=True)]


def period(share: Sequence[float]) -> int:
    """Samples after which a mixture repeats its pattern of sources: a power of two."""
    needed = _DRAWS / min(share)
    length = PERIOD
    while length < min(needed, LONGEST_PERIOD):
        length *= 2
    return length
