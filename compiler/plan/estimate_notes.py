"""What an estimate says in words beside its figures: what they include, rest on, and by what convention they count."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ...spec.batches import count_steps
from ...spec.display_units import TIMES, fitting
from ...spec.facts import figures
from ...spec.gpu_description import GpuDescription
from ...spec.sections import Spec
from ..cost.case import StepCase
from ..cost.goodput import Goodput
from ..cost.power import borrowed
from ..cost.spread import beyond
from ..cost.step import StepTime
from .batch_stages import batch_stages


@dataclass(frozen=True, slots=True)
class Answers:
    """The spec's question and its answers, from which each figure of an estimate is drawn."""

    spec: Spec
    case: StepCase
    step: StepTime
    goodput: Goodput
    stack: str | None = None  # another stack than this project's runtime
    batch: str = ""  # which batch would make these devices faster


def notes(run: Answers) -> tuple[str, ...]:
    """Whole sentences, the most important first."""
    said = [
        _described(run),
        _stack(run),
        _calibrated(run),
        run.batch,
        _branch(run),
        _batch_warmup(run),
        _extrapolated(run),
        _deterministic(run),
        _counted(run),
        *_time(run),
    ]
    return tuple(note for note in (*said, _borrowed(run), _published(run)) if note)


def _described(run: Answers) -> str:
    """Whose figures these are where the spec describes the device, and what they leave to relatives."""
    gpu = run.case.hardware.gpu
    if not isinstance(run.spec.cluster.gpu, GpuDescription):
        return ""
    shares = "assumed" if gpu.family == "other" else f"those of the {gpu.family} family"
    return f"Memory, peak, rates and power of {gpu.name} are the spec's own figures; its efficiencies are {shares}."


def _calibrated(run: Answers) -> str:
    factor = run.spec.cluster.efficiency
    return f"Calibrated: arithmetic runs at {factor:g} of the table's speed (cluster.efficiency)." if factor else ""


def _stack(run: Answers) -> str:
    if run.stack is None:
        return ""
    source = run.case.profile.source.rstrip(".")
    return f"As the stack {run.stack} would run it, not this project's runtime: {source}."


def _extrapolated(run: Answers) -> str:
    found = beyond(run.case)
    return f"Extrapolated: no published run {' or '.join(found)} was compared; the ranges are wider." if found else ""


def _deterministic(run: Answers) -> str:
    if not run.case.workload.deterministic:
        return ""
    slower = figures("constants")["attention"]["deterministic"]
    return (
        f"Deterministic: attention's backward pass is charged {slower:g} times as long, the most that is published "
        "(FlashAttention-3 on H800, arXiv 2601.21824); what other kernels lose is unknown."
    )


def _counted(run: Answers) -> str:
    workload, gpu, layout = run.case.workload, run.case.hardware.gpu, run.case.layout
    batch = f"A step has {workload.batch:,} sequences = {workload.tokens:,} tokens."
    peak = gpu.peak(workload.precision)
    if gpu.family == "cpu" or peak is None:
        return batch
    share = workload.tokens / (run.step.seconds * peak * layout.gpus)
    full, causal = (share * workload.shape.training_flops(workload.sequence, causal=half) for half in (False, True))
    return f"{batch} MFU counts full attention, as papers do ({full:.1%}); with a causal mask it is {causal:.1%}."


def _branch(run: Answers) -> str:
    branch = run.spec.extends_run
    if branch is None:
        return ""
    own = run.spec.data.tokens - branch.tokens
    return (
        f"A branch of {branch.run} from step {branch.step:,} on: {branch.tokens:,} tokens are inherited, and time and "
        f"energy are of the {own:,} that follow."
    )


def _batch_warmup(run: Answers) -> str:
    training = run.spec.training
    if not training.batch_warmup:
        return ""
    batches = batch_stages(training, run.case.layout)
    stages = ", ".join(f"{b.sequences:,} up to {(b.until or 0) * training.sequence_length:,}" for b in batches[:-1])
    steps = count_steps(batches, 0, ceil(run.spec.data.tokens / training.sequence_length))
    return f"The batch warms up: sequences per step {stages} tokens; the run has {steps:,} steps."


def _time(run: Answers) -> list[str]:
    good, steps = run.goodput, max(1, round(run.goodput.interval / run.step.seconds))
    scale, unit = fitting(good.interval, TIMES)
    chosen = "" if run.spec.training.checkpoint.every else ", what loses least here (Young 1974, Daly 2006),"
    return [
        f"Hours include a goodput of {good.value:.1%} ({good.low:.1%} to {good.high:.1%}): failures, restarts, saves.",
        f"A checkpoint every {steps:,} steps ({good.interval / scale:.3g} {unit}){chosen} costs {good.saving:.2%}.",
    ]


def _borrowed(run: Answers) -> str:
    gpu, cap = run.case.hardware.gpu, run.case.hardware.power_cap
    if not borrowed(gpu) or gpu.power is None or cap is None or cap >= gpu.power.default:
        return ""
    return f"No curve of a capped {gpu.name} is published: the A100's is borrowed, scaled to {gpu.power.highest:g} W."


def _published(run: Answers) -> str:
    return f"Published figures: {run.spec.published.source}." if run.spec.published else ""
