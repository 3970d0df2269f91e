"""The order of samples: which sample of which source comes n-th, without any list of samples in memory.

A source's samples are permuted anew every epoch by a keyed Feistel network (Luby and Rackoff, 1988) on the next power
of four, walked until it falls inside the source (Black and Rogaway, 2002); so each sample comes exactly once an epoch
and resuming needs nothing but the number of the sample.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ...spec.mixture import period

Numbers = NDArray[np.uint64]

_ROUNDS = 6


def _mixed(x: Numbers) -> Numbers:
    """A good hash of 64-bit numbers: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@lru_cache(maxsize=64)
def _round_keys(seed: int, stream: int, epoch: int) -> tuple[np.uint64, ...]:
    digest = hashlib.blake2b(f"{seed}/{stream}/{epoch}".encode(), digest_size=8 * _ROUNDS).digest()
    return tuple(np.frombuffer(digest, dtype="<u8"))


def permuted(numbers: Numbers, size: int, keys: tuple[np.uint64, ...]) -> Numbers:
    """The images of `numbers`, all below `size`, under the permutation of range(size) that `keys` select."""
    half = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    images, outside = numbers.copy(), np.ones(len(numbers), dtype=bool)
    while outside.any():
        left, right = images[outside] >> half, images[outside] & mask
        for key in keys:
            left, right = right, left ^ (_mixed(right + key) & mask)
        images[outside] = (left << half) | right
        outside = images >= size
    return images


@dataclass(frozen=True)
class SampleOrder:
    """The n-th sample of a mixture.

    `sizes` are the samples of each source, `weights` their relative shares. A source that is used up starts a new
    epoch of its own, in a new order. Without weights all sources are one: an epoch is every sample of each.
    """

    sizes: tuple[int, ...]
    weights: tuple[float, ...] | None
    seed: int

    def __call__(self, numbers: Numbers) -> tuple[NDArray[np.int64], Numbers]:
        """Sources [n] and samples inside them [n] of the samples `numbers` [n], counted from the start of training."""
        if self.weights is None:
            return self._from_all(numbers)
        choice, before, counts = self._pattern
        block, place = np.divmod(numbers, np.uint64(len(choice)))
        sources = choice[place.astype(np.int64)]
        drawn = block * counts[sources] + before[place.astype(np.int64)]
        epochs, places = np.divmod(drawn, np.array(self.sizes, dtype=np.uint64)[sources])
        samples = np.empty_like(drawn)
        for source, epoch in {(int(s), int(e)) for s, e in zip(sources, epochs, strict=True)}:
            here = (sources == source) & (epochs == epoch)
            samples[here] = permuted(places[here], self.sizes[source], _round_keys(self.seed, source, epoch))
        return sources, samples

    def _from_all(self, numbers: Numbers) -> tuple[NDArray[np.int64], Numbers]:
        """Draws from the sources as if they were one."""
        ends = np.cumsum(np.array(self.sizes, dtype=np.uint64))
        together = SampleOrder((int(ends[-1]),), (1.0,), self.seed)
        _, samples = together(numbers)
        sources = np.searchsorted(ends, samples, side="right")
        return sources.astype(np.int64), samples - (ends - np.array(self.sizes, dtype=np.uint64))[sources]

    @cached_property
    def _pattern(self) -> tuple[NDArray[np.int64], Numbers, Numbers]:
        """One period of the mixture: the source of each place, its earlier draws of that source, and draws of each."""
        weights = self.weights or ()
        if len(self.sizes) == 1:
            return np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.uint64), np.ones(1, dtype=np.uint64)
        counts = _draws([weight / sum(weights) for weight in weights])
        sources = np.repeat(np.arange(len(counts)), counts)
        before = np.concatenate([np.arange(count) for count in counts])
        places = (before + 0.5) / np.array(counts)[sources]
        order = np.lexsort((before, sources, places))
        return sources[order], before[order].astype(np.uint64), np.array(counts, dtype=np.uint64)


def _draws(shares: list[float]) -> list[int]:
    """Shares as whole draws of one period, by largest remainder; each source gets at least one."""
    length = period(shares)
    exact = [length * share for share in shares]
    counts = [max(1, int(share)) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda source: counts[source] - exact[source])
    for source in by_remainder[: max(0, length - sum(counts))]:
        counts[source] += 1
    return counts
