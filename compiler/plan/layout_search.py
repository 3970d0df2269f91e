"""Stage `plan`: search the parallel layouts that the runtime can run, and choose one.

In: a spec. Out: a `Search` (every legal layout with memory and step time, best first, and why others lose) or the
`Layout` itself. The cost is by formula, so it does not grow with the number of devices. Raises InputError with the
nearest thing that works when nothing is legal or nothing fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from ...spec.facts import facts
from ...spec.hardware import gpu
from ...spec.layout import Layout
from ...spec.problem import InputError
from ...spec.sections import Spec, requested
from ..cost.case import Case
from ..cost.from_spec import asking, batch, question
from ..cost.memory import memory_bytes
from ..cost.step import Step, step

GIB = 2**30
ROOM = 0.92  # share of a device's memory that a plan may fill: the estimate's own error
ROUNDING = 0.25  # the global batch may be this far from what was asked for in tokens
SAME = 0.005  # closer than this, the simpler layout wins
MICRO = (1, 2, 4, 8, 16, 32)
STAGES = 16  # the most that are tried; Llama 3 405B trained with 16 (arXiv 2407.21783, table 4)
RECOMPUTE = ("none", "selective", "full")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A legal layout with what it costs. `step` is None when it does not fit."""

    layout: Layout
    memory: dict[str, float]
    step: Step | None
    verdict: str = ""

    @property
    def memory_bytes(self) -> float:
        """Peak bytes on one device."""
        return sum(self.memory.values())

    @property
    def pace(self) -> float:
        """Sequences per second; zero when it does not fit."""
        return self.layout.global_batch / self.step.seconds if self.step else 0.0


@dataclass(frozen=True, slots=True)
class Search:
    """What the search found: candidates, best first; those that do not fit come last, smallest first."""

    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The chosen one. Call only when `fits`."""
        return self.candidates[0]

    @property
    def fits(self) -> bool:
        """Whether any layout fits."""
        return bool(self.candidates) and self.candidates[0].step is not None


def _divisors(limit: int, *numbers: int) -> list[int]:
    return [n for n in range(1, limit + 1) if all(number % n == 0 for number in numbers)]


def _degrees(spec: Spec) -> Iterator[dict[str, int]]:
    """Legal degrees: tensor and sequence groups together inside a node, each with whole heads; equal stages."""
    cluster, model = spec.cluster, spec.model
    node = min(cluster.gpus, cluster.gpus_per_node)
    for tensor in _divisors(node, node, cluster.gpus, model.heads, model.kv_heads, model.ffn_size):
        rest = node // tensor
        for sequence in _divisors(rest, rest, model.heads // tensor, spec.training.sequence_length):
            replicas = cluster.gpus // (tensor * sequence)
            for stages in _stages(spec, replicas):
                yield {"tensor": tensor, "sequence": sequence, "pipeline": stages, "data": replicas // stages}


def _stages(spec: Spec, replicas: int) -> list[int]:
    """Numbers of pipeline stages: what the spec asks for, or on several nodes what the model can be cut into."""
    can = not (spec.cluster.on_cpu or spec.model.tied_embeddings or spec.training.precision == "fp16")
    asked, most = spec.parallel.pipeline, STAGES if spec.cluster.nodes > 1 and can else 1
    found = _divisors(asked or most, spec.model.layers, replicas)
    return [n for n in found if asked in (None, n)]


def _accumulation(spec: Spec, data: int, micro: int) -> int | None:
    """Micro batches a step, or None when the global batch cannot be made of this many."""
    wanted = batch(spec)
    count = max(1, round(wanted / (data * micro)))
    change = abs(count * data * micro / wanted - 1)
    return count if change <= (0 if spec.training.global_batch.unit == "sequences" else ROUNDING) else None


def _layouts(spec: Spec) -> Iterator[Layout]:
    """Every legal layout that agrees with what the spec fixes."""
    fixed: dict[str, Any] = requested(spec.parallel)
    micros = (fixed["micro_batch"],) if "micro_batch" in fixed else MICRO
    offload = fixed.get("offload", "none")
    # Shard groups only where asked for: DeepSpeed 0.19.8 waits for the device after every matrix of hpZ's first forward
    # pass (partition_parameters.py, "temporary fix").
    groups = (fixed.get("shard_group", 0),)
    zeros = (1,) if spec.cluster.on_cpu and "zero" not in fixed else (1, 2, 3)
    choices = product(zeros, groups, micros, RECOMPUTE)
    for degrees, (zero, group, micro, recompute) in product(_degrees(spec), [*choices]):
        if (group and (zero < 3 or degrees["tensor"] > 1)) or (zero > 1 and degrees["pipeline"] > 1):
            continue
        names = degrees | {"zero": zero, "recompute": recompute}
        if any(names[key] != value for key, value in fixed.items() if key in names):
            continue
        if (count := _accumulation(spec, degrees["data"], micro)) is not None:
            yield Layout.model_validate(
                names | {"shard_group": group, "micro_batch": micro, "accumulation": count, "offload": offload}
            )


def _simplicity(layout: Layout) -> tuple[int, ...]:
    recompute = RECOMPUTE.index(layout.recompute)
    return (
        layout.tensor * layout.sequence * layout.pipeline,
        layout.zero,
        layout.shard_group,
        recompute,
        -layout.micro_batch,
    )


def _judged(case: Case, limit: float | None) -> Candidate:
    memory = memory_bytes(case)
    total = sum(memory.values())
    if limit is not None and total > ROOM * limit:
        largest = max(memory, key=lambda name: memory[name])
        verdict = f"does not fit: {total / GIB:.0f} GiB of {limit / GIB:.0f}, most of it {largest}"
        return Candidate(case.layout, memory, None, verdict)
    return Candidate(case.layout, memory, step(case))


def _compared(candidate: Candidate, best: Candidate) -> Candidate:
    """The candidate with the reason why it is not the best."""
    if candidate.step is None or best.step is None:
        return candidate
    behind = best.pace / candidate.pace - 1
    if behind < -SAME:
        verdict = f"{-behind:.1%} faster, but {candidate.layout.global_batch} sequences a step"
        return Candidate(candidate.layout, candidate.memory, candidate.step, verdict)
    per = candidate.layout.global_batch / best.layout.global_batch
    gaps = {name: value - per * best.step.parts.get(name, 0.0) for name, value in candidate.step.parts.items()}
    worst = max(gaps, key=lambda name: gaps[name])
    verdict = f"{behind:.1%} slower: {worst}" if behind > SAME else "as fast, less simple"
    return Candidate(candidate.layout, candidate.memory, candidate.step, verdict)


def search(spec: Spec) -> Search:
    """Every legal layout of `spec`, judged. Raises InputError when the spec leaves none."""
    case, limit = asking(spec), gpu(spec.cluster.gpu).memory_bytes
    judged = [_judged(case(layout), limit) for layout in _layouts(spec)]
    if not judged:
        raise InputError.one("TW845", *_impossible(spec))
    running = [candidate for candidate in judged if candidate.step]
    failing = sorted((candidate for candidate in judged if not candidate.step), key=lambda c: c.memory_bytes)
    if not running:
        return Search(tuple(failing))
    # The batch that was asked for comes before speed; TW317 asks back when no layout makes it.
    allowed = facts("sanity")["batch"]["tolerance"]
    asked = [c for c in running if abs(c.layout.global_batch / batch(spec) - 1) <= allowed] or running
    fastest = max(candidate.pace for candidate in asked)
    close = [candidate for candidate in asked if candidate.pace >= fastest * (1 - SAME)]
    best = min(close, key=lambda c: _simplicity(c.layout))
    rest = sorted((c for c in running if c is not best), key=lambda c: (-c.pace, _simplicity(c.layout)))
    chosen = Candidate(best.layout, best.memory, best.step, "chosen")
    return Search((chosen, *(_compared(candidate, best) for candidate in rest), *failing))


def choose(spec: Spec) -> Layout:
    """The layout to train `spec` with. Raises InputError, naming the nearest thing that works, when none fits."""
    found = search(spec)
    if not found.fits:
        raise InputError.one("TW846", *_too_big(spec, found.best))
    return found.best.layout


def _freed(spec: Spec) -> Spec:
    """The spec without what it fixes of the layout."""
    return spec.model_copy(update={"parallel": type(spec.parallel)()})


def _impossible(spec: Spec) -> tuple[str, str, str]:
    cluster, wanted = spec.cluster, batch(spec)
    fixed = ", ".join(f"{key}: {value}" for key, value in requested(spec.parallel).items())
    message = f"no layout of {cluster.gpus} devices makes a global batch of {wanted:g} sequences"
    if fixed:
        message += f" with {fixed}"
        found = next(_layouts(_freed(spec)), None)
        if found:
            return message, "leave parallel to the planner: `parallel: auto` finds layouts", "parallel"
    sizes = [n for n in range(1, cluster.gpus + 1) if cluster.gpus % n == 0 and n <= wanted and wanted % n == 0]
    nearest = max(sizes, default=1)
    remedy = f"use {nearest} devices, or a global batch that is a multiple of {cluster.gpus} sequences"
    return message, remedy, "parallel"


def _too_big(spec: Spec, smallest: Candidate) -> tuple[str, str, str]:
    """Message, remedy and path for a spec that fits no device."""
    need = smallest.memory_bytes
    largest = max(smallest.memory, key=lambda name: smallest.memory[name])
    limit = question(spec, smallest.layout).machine.gpu.memory_bytes or 0
    message = (
        f"no layout fits: the smallest needs {need / GIB:.0f} GiB a device of {ROOM * limit / GIB:.0f} that may be "
        f"filled, most of it {largest} ({smallest.memory[largest] / GIB:.0f} GiB)"
    )
    return message, _remedy(spec, smallest, ROOM * limit), "parallel" if requested(spec.parallel) else "cluster"


def _remedy(spec: Spec, smallest: Candidate, room: float) -> str:
    """The nearest change that fits: free what the spec fixes, offload the optimizer, or take more devices."""
    if requested(spec.parallel):
        found = search(_freed(spec))
        if found.fits:
            settings = found.best.layout.model_dump(exclude_defaults=True, exclude={"accumulation"})
            return "this fits: " + ", ".join(f"{key}: {value}" for key, value in settings.items())
    if smallest.layout.offload == "none":
        lighter = question(spec, smallest.layout.model_copy(update={"offload": "optimizer"}))
        if sum(memory_bytes(lighter).values()) <= room:
            return "this fits: parallel: {zero: 3, offload: optimizer}; or take more devices"
    devices = spec.cluster.gpus
    for factor in (2, 4, 8, 16, 32, 64, 128):
        more = question(spec, smallest.layout.model_copy(update={"data": smallest.layout.data * factor}))
        if sum(memory_bytes(more).values()) <= room:
            return f"{devices * factor} devices of this kind would hold it; or shorten training.sequence_length"
    return "no number of these devices holds it: shorten training.sequence_length, or take devices with more memory"
