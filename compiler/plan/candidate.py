"""A layout with what it costs: bytes, seconds, and the words why it is chosen or is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from ...spec.facts import figures
from ...spec.hardware import gpu
from ...spec.layout import Layout
from ...spec.sections import Spec
from ...spec.units import GIB
from ..cost.case import StepCase
from ..cost.memory import memory_bytes
from ..cost.step import StepTime, step

MEMORY_FILL = figures("planning")["memory_fill"]
TIE_MARGIN = figures("planning")["tie_margin"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A legal layout with what it costs. When it does not fit, `step` is None and `sequences_per_second` is 0."""

    layout: Layout
    memory: Mapping[str, float]
    memory_bytes: float  # at the peak, on one device
    step: StepTime | None = None
    sequences_per_second: float = 0.0
    lacks: tuple[str, ...] = ()  # what of it the stack cannot run


def memory_budget(spec: Spec) -> float:
    """Bytes of a device that a plan may fill: a share of its memory, or the spec's limit where that is less."""
    limit, asked = gpu(spec.cluster.gpu).memory_bytes, spec.limits.memory if spec.limits else None
    return min(MEMORY_FILL * limit if limit else inf, asked or inf)


def evaluate(case: StepCase, budget: float) -> Candidate:
    """A layout with its bytes, and with its seconds where they are at most `budget`."""
    memory = memory_bytes(case)
    total = sum(memory.values())
    if total > budget:
        return Candidate(case.layout, memory, total)
    taken = step(case)
    return Candidate(case.layout, memory, total, taken, case.workload.batch / taken.seconds)


def too_large(candidate: Candidate, budget: float) -> str:
    """Why a candidate does not fit."""
    memory, total = candidate.memory, candidate.memory_bytes
    largest = max(memory, key=lambda name: memory[name])
    return f"does not fit: {total / GIB:.1f} of {budget / GIB:.1f} GiB that may be filled, most of it {largest}"


def reason_against(candidate: Candidate, best: Candidate) -> str:
    """Why a candidate that fits is not the best."""
    behind = best.sequences_per_second / candidate.sequences_per_second - 1
    if candidate.lacks:
        speed = f"{behind:.1%} slower" if behind > 0 else f"{-behind:.1%} faster"
        return f"{speed}, but the runtime has no {' or '.join(candidate.lacks)}"
    if behind < -TIE_MARGIN:
        return f"{-behind:.1%} faster, but {candidate.layout.global_batch} sequences a step"
    if behind <= TIE_MARGIN or candidate.step is None or best.step is None:
        return "same speed, more complex layout"
    per = candidate.layout.global_batch / best.layout.global_batch
    gaps = {name: value - per * best.step.parts.get(name, 0.0) for name, value in candidate.step.parts.items()}
    return f"{behind:.1%} slower: {max(gaps, key=lambda name: gaps[name])}"
