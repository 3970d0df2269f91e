"""Stage `plan`: search the parallel layouts that a stack can run (ours, unless another is named), and choose one.

In: a spec. Out: a `Search` (every legal layout with memory and step time, best first, and why others lose) or the
`Layout` itself. The cost is by formula, so it does not grow with the number of devices. Raises NoLayoutError
(InputError under another stack) with the nearest thing that works when nothing is legal or nothing fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...spec.facts import facts
from ...spec.hardware import gpu
from ...spec.layout import Layout
from ...spec.problem import InputError, MissedRuleError
from ...spec.quantity import Amount
from ...spec.sections import Spec
from ..cost.case import Case
from ..cost.from_spec import asking, question, software
from ..cost.memory import memory_bytes
from ..cost.step import Step, step
from .layouts import CHECKPOINTING, layouts

GIB = 2**30
ROOM = 0.92  # share of a device's memory that a plan may fill: the estimate's own error
SAME = 0.005  # closer than this, the simpler layout wins
WORTH = 0.02  # a gain that is worth a note
NEEDS: Mapping[str, tuple[str, Callable[[Layout], bool]]] = {
    "uneven": ("uneven stages", lambda layout: layout.uneven_stages),
    "interleave": ("virtual stages", lambda layout: layout.interleave > 1),
    "context": ("context parallelism", lambda layout: layout.context > 1),
    "megatron_sequence": ("sequence parallelism beside tensor parallelism", lambda layout: layout.megatron_sequence),
}  # what of a stack (facts/software.yaml: layouts) a layout needs
EVERYTHING = {
    "uneven": True,
    "interleave": True,
    "context": True,
    "megatron_sequence": True,
}  # beside what a stack runs


class NoLayoutError(MissedRuleError):
    """No layout is legal, or none fits. The rule TW315 asks the planner and says so; later stages never meet it."""

    def __init__(self, message: str, remedy: str, path: str) -> None:
        self.message, self.remedy, self.path = message, remedy, path
        super().__init__("TW315", message)


def _no_layout(stack: str | None, message: str, remedy: str, path: str) -> Exception:
    """The error of a spec without a layout: only for our own runtime does a rule speak first."""
    return NoLayoutError(message, remedy, path) if stack is None else InputError.one("TW859", message, remedy, path)


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
    """What the search found: candidates, best first; those that do not fit come last, smallest first.

    `foreign` are layouts that the stack cannot run, the fastest first; none of them is ever chosen.
    """

    candidates: tuple[Candidate, ...]
    foreign: tuple[Candidate, ...] = ()
    stack: str | None = None

    @property
    def best(self) -> Candidate:
        """The chosen one. Call only when `fits`."""
        return self.candidates[0]

    @property
    def fits(self) -> bool:
        """Whether any layout fits."""
        return bool(self.candidates) and self.candidates[0].step is not None

    def faster_batch(self, spec: Spec) -> str:
        """Which other global batch would make these devices faster, in a sentence; empty where none would by much."""
        there = self.candidates
        if spec.training.global_batch.unit == "sequences":
            there = search(_in_tokens(spec), self.stack).candidates
        other = max(there, key=lambda candidate: candidate.pace)
        gain = other.pace / self.best.pace - 1
        if gain <= WORTH or not self.fits:
            return ""
        return (
            f"{self.best.layout.global_batch:,} sequences a step divide badly over {spec.cluster.gpus:,} devices: "
            f"with {other.layout.global_batch:,} they would train {gain:.1%} more tokens a second."
        )


def _in_tokens(spec: Spec) -> Spec:
    """The spec with its batch as a target in tokens, which may be rounded."""
    tokens = Amount(value=spec.training.requested_sequences * spec.training.sequence_length, unit="tokens")
    return spec.model_copy(update={"training": spec.training.model_copy(update={"global_batch": tokens})})


def _simplicity(layout: Layout) -> tuple[int, ...]:
    checkpointing = CHECKPOINTING.index(layout.activation_checkpointing)
    return (
        layout.tensor * layout.sequence * layout.pipeline,
        layout.zero,
        layout.shard_group,
        checkpointing,
        -layout.micro_batch,
    )


def _judged(case: Case, limit: float | None) -> Candidate:
    memory = memory_bytes(case)
    total = sum(memory.values())
    if limit is not None and total > ROOM * limit:
        largest = max(memory, key=lambda name: memory[name])
        verdict = (
            f"does not fit: {total / GIB:.1f} of {ROOM * limit / GIB:.1f} GiB that may be filled, most of it {largest}"
        )
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
    verdict = f"{behind:.1%} slower: {worst}" if behind > SAME else "same speed, more complex layout"
    return Candidate(candidate.layout, candidate.memory, candidate.step, verdict)


def search(spec: Spec, stack: str | None = None, *, everything: bool = False) -> Search:
    """Every legal layout of `spec` under `stack` (None: this project's runtime), judged.

    `everything` adds the layouts that the stack cannot run. Raises NoLayoutError when the spec leaves
    none (InputError under another stack), InputError when there is no such stack.
    """
    case, limit, can = asking(spec, stack), gpu(spec.cluster.gpu).memory_bytes, software(spec, stack).layouts
    judged = [_judged(case(layout), limit) for layout in layouts(spec, can)]
    if not judged:
        raise _no_layout(stack, *_impossible(spec, stack))
    running = [candidate for candidate in judged if candidate.step]
    failing = sorted((candidate for candidate in judged if not candidate.step), key=lambda c: c.memory_bytes)
    if not running:
        return Search(tuple(failing), stack=stack)
    # The batch that was asked for comes before speed; TW317 asks back when no layout makes it.
    allowed = facts("sanity")["batch"]["tolerance"]
    wanted = spec.training.requested_sequences
    asked = [c for c in running if abs(c.layout.global_batch / wanted - 1) <= allowed] or running
    fastest = max(candidate.pace for candidate in asked)
    close = [candidate for candidate in asked if candidate.pace >= fastest * (1 - SAME)]
    best = min(close, key=lambda c: _simplicity(c.layout))
    rest = sorted((c for c in running if c is not best), key=lambda c: (-c.pace, _simplicity(c.layout)))
    chosen = Candidate(best.layout, best.memory, best.step, "chosen")
    ranked = (chosen, *(_compared(candidate, best) for candidate in rest), *failing)
    return Search(ranked, _foreign(spec, case, limit, can, best) if everything else (), stack)


def _foreign(
    spec: Spec, case: Callable[[Layout], Case], limit: float | None, can: Mapping[str, Any], best: Candidate
) -> tuple[Candidate, ...]:
    """Layouts that fit and that the stack cannot run, the fastest first, with what they need of it."""
    found: list[Candidate] = []
    for layout in layouts(spec, {**can, **EVERYTHING}):
        lacks = [words for name, (words, needs) in NEEDS.items() if not can[name] and needs(layout)]
        judged = _judged(case(layout), limit) if lacks else None
        if judged and judged.step:
            gap = best.pace / judged.pace - 1
            pace = f"{gap:.1%} slower" if gap > 0 else f"{-gap:.1%} faster"
            verdict = f"{pace}, but the runtime has no {' or '.join(lacks)}"
            found.append(Candidate(layout, judged.memory, judged.step, verdict))
    return tuple(sorted(found, key=lambda candidate: -candidate.pace))


def chosen(spec: Spec, stack: str | None = None) -> Search:
    """A search whose best layout fits. Raises as `search` when none does."""
    found = search(spec, stack)
    if not found.fits:
        raise _no_layout(stack, *_too_big(spec, found.best))
    return found


def choose(spec: Spec, stack: str | None = None) -> Layout:
    """The layout to train `spec` with. Raises as `search` does."""
    return chosen(spec, stack).best.layout


def _freed(spec: Spec) -> Spec:
    """The spec without what it fixes of the layout."""
    return spec.model_copy(update={"parallel": type(spec.parallel)()})


def _impossible(spec: Spec, stack: str | None) -> tuple[str, str, str]:
    cluster, wanted = spec.cluster, spec.training.requested_sequences
    fixed = ", ".join(f"{key}: {value}" for key, value in spec.parallel.model_dump(exclude_none=True).items())
    message = f"no layout of {cluster.gpus} devices makes a global batch of {wanted:g} sequences"
    if fixed:
        message += f" with {fixed}"
        found = next(layouts(_freed(spec), software(spec, stack).layouts), None)
        if found:
            return message, "Leave it to the planner: `parallel: auto` finds layouts.", "parallel"
    sizes = [n for n in range(1, cluster.gpus + 1) if cluster.gpus % n == 0 and n <= wanted and wanted % n == 0]
    makes = sorted({layout.global_batch for layout in layouts(_in_tokens(_freed(spec)), software(spec, stack).layouts)})
    near = [*[n for n in makes if n < wanted][-1:], *[n for n in makes if n > wanted][:1]]
    batches = f"a global batch of {' or '.join(map(str, near))} sequences" if near else "a larger global batch"
    remedy = f"Use {max(sizes, default=1)} devices, or {batches}."
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
    return (
        message,
        _remedy(spec, smallest, ROOM * limit),
        "parallel" if spec.parallel.model_dump(exclude_none=True) else "cluster",
    )


def _remedy(spec: Spec, smallest: Candidate, room: float) -> str:
    """The nearest change that fits: free what the spec fixes, offload the optimizer, or take more devices."""
    if spec.parallel.model_dump(exclude_none=True):
        found = search(_freed(spec))
        if found.fits:
            settings = found.best.layout.model_dump(exclude_defaults=True, exclude={"accumulation"})
            return f"This fits: {', '.join(f'{key}: {value}' for key, value in settings.items())}."
    if smallest.layout.offload == "none":
        lighter = question(spec, smallest.layout.model_copy(update={"offload": "optimizer"}))
        if sum(memory_bytes(lighter).values()) <= room:
            return "This fits: `parallel: {zero: 3, offload: optimizer}`. More devices do as well."
    devices = spec.cluster.gpus
    for factor in (2, 4, 8, 16, 32, 64, 128):
        more = question(spec, smallest.layout.model_copy(update={"data": smallest.layout.data * factor}))
        if sum(memory_bytes(more).values()) <= room:
            return f"Use {devices * factor} devices of this kind, or a shorter training.sequence_length."
    return "No number of these devices holds it: shorten training.sequence_length, or use devices with more memory."
