"""Steps and samples of a run whose batch grows: each batch is kept up to a number of samples, the last to the end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from pydantic import PositiveInt

from .frozen import Frozen


class BatchSteps(Frozen):
    """Steps of `sequences` each, up to and including the one that reaches `until` samples; None: to the end."""

    sequences: PositiveInt
    until: PositiveInt | None = None


def run_batches(warmup: Iterable[BatchSteps], sequences: int) -> tuple[BatchSteps, ...]:
    """Every batch of a run, in order: the warm-up's, then `sequences` to the end."""
    return (*warmup, BatchSteps(sequences=sequences))


def batch_at(batches: Sequence[BatchSteps], samples: int) -> int:
    """Sequences of the step that begins after `samples`."""
    return next(batch.sequences for batch in batches if batch.until is None or samples < batch.until)


def equal_steps(batches: Sequence[BatchSteps], start: int, end: int) -> Iterator[tuple[int, int]]:
    """(Sequences per step, steps) from `start` to `end` samples, in order; the very last step may hold fewer."""
    for batch in batches:
        stop = end if batch.until is None else min(batch.until, end)
        steps = max(0, math.ceil((stop - start) / batch.sequences))
        if steps:
            yield batch.sequences, steps
        start += steps * batch.sequences


def count_steps(batches: Sequence[BatchSteps], start: int, end: int) -> int:
    """Steps from `start` to `end` samples."""
    return sum(steps for _, steps in equal_steps(batches, start, end))


def samples_after(batches: Sequence[BatchSteps], steps: int) -> int:
    """Samples of the first `steps` steps, the last one full."""
    samples = 0
    for batch in batches:
        most = steps if batch.until is None else max(0, math.ceil((batch.until - samples) / batch.sequences))
        taken = min(steps, most)
        samples, steps = samples + taken * batch.sequences, steps - taken
    return samples
