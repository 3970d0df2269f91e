"""Stage `plan`: search the parallel layouts that a stack can run (ours, unless another is named), and choose one.

In: a spec. Out: a `Search` (every legal layout with memory and step time, best first, and why others lose) or the
`Layout` itself. The cost is by formula, so it does not grow with the number of devices. Raises NoLayoutError
(InputError under another stack) with the nearest thing that works when nothing is legal or nothing fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

from ...spec.facts import figures
from ...spec.layout import Layout
from ...spec.problem import InputError, MissedRuleError
from ...spec.quantity import Amount
from ...spec.sections import Spec
from ...spec.units import GIB
from ..cost.case import StepCase
from ..cost.from_spec import cost_case, cost_case_factory, software
from ..cost.memory import memory_bytes
from ..cost.profile_sections import Runnable
from .batch_stages import unshared
from .candidate import TIE_MARGIN, Candidate, evaluate, memory_budget, reason_against, too_large
from .layouts import CHECKPOINTING, layouts

NOTABLE_GAIN = figures("planning")["notable_gain"]
MORE = tuple(2**power for power in range(1, 12))  # times the devices that are tried where none of the layouts fits
NEEDS: Mapping[str, tuple[str, Callable[[Layout], bool]]] = {
    "uneven": ("uneven stages", lambda layout: layout.uneven_stages),
    "interleave": ("virtual stages", lambda layout: layout.interleave > 1),
    "context": ("context parallelism", lambda layout: layout.context > 1),
    "megatron_sequence": ("sequence parallelism beside tensor parallelism", lambda layout: layout.megatron_sequence),
}  # what of a stack (facts/software.yaml: layouts) a layout needs


class NoLayoutError(MissedRuleError):
    """No layout is legal, or none fits. The rule TW315 asks the planner and says so; later stages never meet it."""

    def __init__(self, message: str, remedy: str, path: str) -> None:
        self.message, self.remedy, self.path = message, remedy, path
        super().__init__("TW315", message)


def _no_layout(stack: str | None, message: str, remedy: str, path: str) -> Exception:
    """The error of a spec without a layout: only for our own runtime does a rule speak first."""
    return NoLayoutError(message, remedy, path) if stack is None else InputError.one("TW859", message, remedy, path)


@dataclass(frozen=True, slots=True)
class Search:
    """What the search found: candidates, best first; those that do not fit come last, smallest first.

    `foreign` are layouts that the stack cannot run, the fastest first; none of them is ever chosen.
    """

    candidates: tuple[Candidate, ...]
    budget: float  # bytes of a device that may be filled
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

    def reason(self, candidate: Candidate) -> str:
        """Why a candidate is the best, or is not, in words."""
        if candidate.step is None:
            return too_large(candidate, self.budget)
        return "chosen" if candidate is self.best else reason_against(candidate, self.best)

    def faster_batch(self, spec: Spec) -> str:
        """Which other global batch would make these devices faster, in a sentence; empty where none would by much."""
        there = self.candidates
        if spec.training.global_batch.unit == "sequences":
            there = search(_in_tokens(spec), self.stack).candidates
        other = max(there, key=lambda candidate: candidate.sequences_per_second)
        gain = other.sequences_per_second / self.best.sequences_per_second - 1
        if gain <= NOTABLE_GAIN or not self.fits:
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


def search(spec: Spec, stack: str | None = None, *, everything: bool = False) -> Search:
    """Every legal layout of `spec` under `stack` (None: this project's runtime), with its cost.

    `everything` adds the layouts that the stack cannot run. Raises NoLayoutError when the spec leaves
    none (InputError under another stack), InputError when there is no such stack.
    """
    return _searched(_Asked(spec), stack, everything)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What of a spec a search reads: check, plan and estimate of one command are one search."""

    spec: Spec

    def _read(self) -> tuple[object, ...]:
        return self.spec.model, self.spec.training, self.spec.cluster, self.spec.parallel, memory_budget(self.spec)

    def __hash__(self) -> int:
        return hash(self._read())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._read() == other._read()


@lru_cache(maxsize=8)
def _searched(about: _Asked, stack: str | None, everything: bool) -> Search:
    spec = about.spec
    case, budget, can = cost_case_factory(spec, stack), memory_budget(spec), software(spec, stack).layouts
    found = [evaluate(case(layout), budget) for layout in layouts(spec, can)]
    if not found:
        raise _no_layout(stack, *_impossible(spec, stack))
    running = [candidate for candidate in found if candidate.step]
    failing = sorted((candidate for candidate in found if not candidate.step), key=lambda c: c.memory_bytes)
    if not running:
        return Search(tuple(failing), budget, stack=stack)
    # The batch that was asked for comes before speed; TW317 asks back when no layout makes it.
    allowed = figures("sanity")["batch_tolerance"]
    wanted = spec.training.requested_sequences
    asked = [c for c in running if abs(c.layout.global_batch / wanted - 1) <= allowed] or running
    asked = [c for c in asked if not unshared(spec.training, c.layout)] or asked  # else TW326 asks back
    fastest = max(candidate.sequences_per_second for candidate in asked)
    close = [candidate for candidate in asked if candidate.sequences_per_second >= fastest * (1 - TIE_MARGIN)]
    best = min(close, key=lambda c: _simplicity(c.layout))
    rest = sorted((c for c in running if c is not best), key=lambda c: (-c.sequences_per_second, _simplicity(c.layout)))
    foreign = _foreign(layouts(spec, _everything(can)), case, budget, can) if everything else ()
    return Search((best, *rest, *failing), budget, foreign, stack)


def _everything(can: Runnable) -> Runnable:
    """What a stack runs, and what another might: all of `NEEDS`."""
    return replace(can, uneven=True, interleave=True, context=True, megatron_sequence=True)


def _foreign(
    legal: Iterable[Layout], case: Callable[[Layout], StepCase], budget: float, can: Runnable
) -> tuple[Candidate, ...]:
    """Layouts that fit and that the stack cannot run, the fastest first, with what they need of it."""
    found: list[Candidate] = []
    for layout in legal:
        lacks = tuple(words for name, (words, needs) in NEEDS.items() if not getattr(can, name) and needs(layout))
        candidate = evaluate(case(layout), budget) if lacks else None
        if candidate and candidate.step:
            found.append(replace(candidate, lacks=lacks))
    return tuple(sorted(found, key=lambda candidate: -candidate.sequences_per_second))


def chosen(spec: Spec, stack: str | None = None) -> Search:
    """A search whose best layout fits. Raises as `search` when none does."""
    found = search(spec, stack)
    if not found.fits:
        raise _no_layout(stack, *_too_big(spec, found))
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


def _too_big(spec: Spec, found: Search) -> tuple[str, str, str]:
    """Message, remedy and path for a spec that fits no device."""
    smallest = found.best
    largest = max(smallest.memory, key=lambda name: smallest.memory[name])
    message = (
        f"no layout fits: the smallest needs {smallest.memory_bytes / GIB:.0f} GiB a device of "
        f"{found.budget / GIB:.0f} that may be filled, most of it {largest} ({smallest.memory[largest] / GIB:.0f} GiB)"
    )
    if spec.limits is not None and spec.limits.memory == found.budget:
        least = ceil(smallest.memory_bytes / GIB)
        return message, f"Raise it to {least} GiB, use more devices, or a shorter sequence.", "limits.memory"
    return message, _remedy(spec, found), "parallel" if spec.parallel.model_dump(exclude_none=True) else "cluster"


def _remedy(spec: Spec, found: Search) -> str:
    """The nearest change that fits: free what the spec fixes, offload the optimizer, or take more devices."""
    free, layout = _freed(spec), found.best.layout
    if free.parallel != spec.parallel and (fits := _fitting(free, found.stack)):
        settings = fits.model_dump(exclude_defaults=True, exclude={"accumulation"})
        return f"This fits: {', '.join(f'{key}: {value}' for key, value in settings.items())}."
    if layout.offload == "none":
        lighter = cost_case(spec, layout.model_copy(update={"offload": "optimizer"}))
        if sum(memory_bytes(lighter).values()) <= found.budget:
            return f"This fits: `parallel: {{zero: {layout.zero}, offload: optimizer}}`. More devices do as well."
    for devices in (spec.cluster.gpus * factor for factor in MORE):
        cluster = spec.cluster.model_copy(update={"gpus": devices})
        if _fitting(free.model_copy(update={"cluster": cluster}), found.stack):
            return f"Use {devices} devices of this kind, or a shorter training.sequence_length."
    return "No number of these devices holds it: shorten training.sequence_length, or use devices with more memory."


def _fitting(spec: Spec, stack: str | None) -> Layout | None:
    """The best layout of `spec` that fits, if there is one."""
    try:
        found = search(spec, stack)
    except (InputError, MissedRuleError):  # no check has seen it: more nodes may lack a network
        return None
    return found.best.layout if found.fits else None
