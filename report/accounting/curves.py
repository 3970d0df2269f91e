"""Report stage 5: step records in, columns for the plots out, and thinned columns for the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ...spec.events import CheckpointEvent, FaultEvent, GapEvent, StepEvent, ValidationEvent
from ..values import Curves, Mark, Report, Training
from .attempts import AttemptEvents, step_of
from .surviving import SurvivingEvent, surviving_events

METRICS = ("loss", "learning_rate", "grad_norm", "tokens_per_second", "mfu", "power_watts", "memory_bytes")
FINE = 1000  # buckets of a thinned curve; of each metric the extremes of each bucket are kept
POINTS = 2000  # buckets of all curves of a report
LARGEST_EXPONENT = 700.0  # e^x beyond this is no float


def perplexity(loss: float | None) -> float | None:
    """e^loss; None when the loss is unknown or too large to exponentiate."""
    return math.exp(loss) if loss is not None and loss < LARGEST_EXPONENT else None


def columns(
    records: Sequence[SurvivingEvent[StepEvent] | SurvivingEvent[ValidationEvent]],
    emitted: Callable[[float | None], float | None],
) -> Curves:
    """Records as columns of equal length; `emitted` gives the carbon of all energy up to a record."""
    values = {key: tuple(getattr(r.event, key, None) for r in records) for key in METRICS}
    values["power_watts"] = tuple(
        _per_device(watts, r.devices) for watts, r in zip(values["power_watts"], records, strict=True)
    )
    return Curves(
        step=tuple(step_of(r.event) for r in records),
        tokens=tuple(r.event.tokens for r in records),
        seconds=tuple(r.seconds for r in records),
        energy_kwh=tuple(r.energy_kwh for r in records),
        carbon_tonnes=tuple(emitted(r.energy_kwh) for r in records),
        perplexity=tuple(perplexity(loss) for loss in values["loss"]),
        **values,
    )


def _per_device(watts: float | None, devices: float | None) -> float | None:
    """The log's power is the whole job's."""
    return watts / devices if watts is not None and devices else None


def thinned(curves: Curves, buckets: int) -> Curves:
    """The ends, and of each metric the smallest and the largest value a bucket: no spike is lost."""
    count = len(curves.step)
    if count <= 2 * buckets:
        return curves
    keep = {0, count - 1}
    metrics = [getattr(curves, key) for key in METRICS]
    for bucket in range(buckets):
        span = range(bucket * count // buckets, (bucket + 1) * count // buckets)
        for column in metrics:
            known = [i for i in span if column[i] is not None]
            if known:
                keep |= {min(known, key=column.__getitem__), max(known, key=column.__getitem__)}
    order = sorted(keep)
    return Curves(**{key: tuple(column[i] for i in order) for key, column in curves if column})


def shared_buckets(most: int, curves: int) -> int:
    """Buckets of each curve, so that all curves together stay of a size that a figure and a page can hold."""
    return max(2, min(most, POINTS // max(curves, 1)))


def thinned_report(report: Report) -> Report:
    """The report with curves of a size that plots and programs can handle; curves.csv has every step."""
    buckets = shared_buckets(FINE, len(report.runs))
    runs = tuple(run.model_copy(update={"curves": thinned(run.curves, buckets)}) for run in report.runs)
    return report.model_copy(update={"runs": runs})


def training(runs: Sequence[AttemptEvents], steps: Curves, validation: Curves, planned_steps: int | None) -> Training:
    """How far the run came, and how good it is."""
    final = _last(validation.loss)
    return Training(
        steps=max(steps.step, default=0),
        planned_steps=planned_steps,
        tokens=_last(steps.tokens),
        final_loss=_last(steps.loss),
        validation_loss=final,
        validation_perplexity=perplexity(final),
        tokens_per_second=_rate(runs, steps),
        mfu=_median(steps.mfu),
        unigram_entropy=_last([run.start.unigram_entropy for run in runs]),
        peak_memory_bytes=max((v for v in steps.memory_bytes if v is not None), default=None),
    )


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _median(values: Sequence[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 2] if known else None


def _rate(runs: Sequence[AttemptEvents], steps: Curves) -> float | None:
    """Tokens that count over all time spent, lost work included: what the run achieved, not its best step."""
    seconds, tokens = sum(run.seconds for run in runs), _last(steps.tokens)
    return tokens / seconds if tokens is not None and seconds else None


def marks(runs: Sequence[AttemptEvents]) -> list[Mark]:
    """Restarts, checkpoints, faults and gaps, each at its step."""
    found: list[Mark] = []
    for run in runs:
        if run is not runs[0]:
            found.append(Mark(kind="restart", step=run.from_step, text=f"attempt {run.number} starts"))
        step = run.from_step
        for event in run.events:
            step = event.step or step
            if isinstance(event, FaultEvent):
                found.append(Mark(kind="fault", step=step, text=f"{event.what}: {event.action}"))
            if isinstance(event, GapEvent):
                found.append(Mark(kind="gap", step=step, text=f"no reading: {event.reason}"))
    found.extend(
        Mark(kind="checkpoint", step=step_of(r.event), text="checkpoint")
        for r in surviving_events(list(runs), CheckpointEvent)
    )
    return found
