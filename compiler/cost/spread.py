"""How far a prediction may be off: the wider, the further its question lies from the published rows.

Half-widths are factors: from value / (1 + spread) to value x (1 + spread). The base holds 80% of the rows of publishers
that were left out of the fit (`benchmarks/estimator_crossval.py`); each way in which the question lies beyond every
compared row widens it (`facts/accuracy.yaml`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, prod

from ...spec.facts import figures
from .case import StepCase
from .stack import extrapolated


def beyond(case: StepCase, date: str | None = None) -> tuple[str, ...]:
    """What of a case no compared row has, in words that follow "no published run"; nothing for processors."""
    seen, gpu, shape = figures("accuracy")["seen"], case.hardware.gpu, case.workload.shape
    if gpu.family == "cpu":
        return ()
    where = f"with a {gpu.name}" if gpu.family not in seen["families"] else _stack(case, date)
    sizes = (
        (case.layout.gpus, [1, seen["devices"]], f"with {case.layout.gpus:,} devices"),
        (shape.parameters, seen["parameters"], f"with {shape.parameters:,} parameters"),
        (case.workload.sequence, seen["sequence"], f"with sequences of {case.workload.sequence:,}"),
    )
    return (*([where] if where else []), *(words for size, limits, words in sizes if _doublings(size, limits)))


def _stack(case: StepCase, date: str | None) -> str:
    return extrapolated(case.profile, case.hardware.gpu.family, date) if case.profile.families else ""


def _doublings(size: float, limits: Sequence[float]) -> float:
    """How many doublings `size` lies outside of `limits`."""
    low, high = limits
    return max(0.0, log2(low / size), log2(size / high))


def spread(case: StepCase, kind: str, date: str | None = None) -> float:
    """Half-width of a `step`, of `memory`, or of the `hours` of a whole run."""
    table = figures("accuracy")
    if case.hardware.gpu.family == "cpu":
        return table["cpu_step"] if kind != "memory" else table["memory"]
    widen, seen, shape = table["widen"], table["seen"], case.workload.shape
    sizes = (
        (case.layout.gpus, [1, seen["devices"]]),
        (shape.parameters, seen["parameters"]),
        (case.workload.sequence, seen["sequence"]),
    )
    doublings = sum(_doublings(size, limits) for size, limits in sizes)
    factors = [
        widen["family"] if case.hardware.gpu.family not in case.profile.families else 1.0,
        widen["date"] if date and _stack(case, date).endswith(date) else 1.0,
        widen["doubling"] ** doublings,
    ]
    return table[kind] * prod(factors)
