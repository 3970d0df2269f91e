"""A spec's batch warm-up in whole sequences that the ranks of a layout share evenly."""

from __future__ import annotations

from math import ceil

from ...spec.batches import BatchSteps, run_batches
from ...spec.facts import figures
from ...spec.layout import Layout
from ...spec.sections import BatchStage, Training


def batch_stages(training: Training, layout: Layout) -> tuple[BatchSteps, ...]:
    """Every batch of the run: the warm-up's, rounded to the nearest that the ranks can share, then the layout's own."""
    warmup = (
        BatchSteps(sequences=_nearest(training, stage, layout), until=ceil(stage.until / training.sequence_length))
        for stage in training.batch_warmup
    )
    return run_batches(warmup, layout.global_batch)


def unshared(training: Training, layout: Layout) -> list[tuple[int, int]]:
    """(Index, nearest batch) of each stage that the ranks cannot share: further off than a batch may be rounded."""
    found: list[tuple[int, int]] = []
    for index, stage in enumerate(training.batch_warmup):
        nearest = _nearest(training, stage, layout)
        allowed = 0 if stage.global_batch.unit == "sequences" else figures("sanity")["batch_tolerance"]
        if abs(nearest / training.in_sequences(stage.global_batch) - 1) > allowed:
            found.append((index, nearest))
    return found


def _nearest(training: Training, stage: BatchStage, layout: Layout) -> int:
    shared = layout.data * layout.micro_batch
    return max(1, round(training.in_sequences(stage.global_batch) / shared)) * shared
