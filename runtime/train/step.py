"""One optimizer step: accumulate gradients over micro-batches, agree with the other ranks, update or leave it be.

The one all-reduce of the loop's own numbers runs beside the last backward pass and is waited for after the update: no
device waits for it. Only where a spec says that a loss can veto the update is it waited for before, so that all ranks
decide alike in time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat

from torch import Tensor

from ..data.dataset import Dataset
from ..engine.deepspeed_private import accumulate, clear_gradients
from ..engine.protocol import Engine
from ..parallel.pipeline_schedule import ForwardPass, backward, forward_passes
from ..parallel.readback import Readback
from ..parallel.world import World
from . import fault_injection
from .step_votes import StepVotes

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of a step. `loss` is the mean in nats per token, `votes` the sum over ranks."""

    loss: float
    gradient_norm: float | None
    applied: bool
    skipped: bool  # on purpose: all ranks agreed that this batch must not count
    votes: StepVotes
    own_seconds: float  # until this rank's last forward pass was done
    nonfinite_source: str | None = None  # where a non-finite gradient came from


@dataclass(frozen=True)
class StepInputs:
    """The inputs of an optimizer step.

    `must_skip` says whether an update with this mean loss must not be applied; without one no loss is waited for.
    """

    engine: Engine
    world: World
    data: Dataset
    number: int  # from 1
    samples: range  # their places in the order of training
    votes: Callable[[float], StepVotes]  # this rank's, given the sum of its losses
    must_skip: Callable[[float], bool] | None


def run_step(step: StepInputs) -> StepOutcome:
    """Run the step. With a non-finite gradient it is computed once more, to name its origin or to find it gone."""
    accumulate(step.engine, step.data.layout.accumulation)
    first = _forward_backward(step)
    if first.applied or first.skipped:
        return first
    found: list[str] = []
    probes = [p.register_hook(partial(_probe, found, name)) for name, p in step.engine.module.named_parameters()]
    try:
        second = _forward_backward(step)
    finally:
        for probe in probes:
            probe.remove()
    origins = [
        f"rank {rank}: {name}"
        for rank, name in enumerate(step.world.all_gather_object(next(iter(found), None)))
        if name
    ]
    origin = ", ".join(origins) or "not reproduced when computed again: suspect the hardware"
    return replace(second, nonfinite_source=origin)


def _forward_backward(step: StepInputs) -> StepOutcome:
    """All micro-batches. A stage that is `ahead` of the last does as many forward passes before the first backward one.

    After them one forward, one backward: no stage holds more than it must (1F1B, arXiv 2104.04473, section 2.2.1).
    """
    engine, world, turns = step.engine, step.world, step.data.layout.accumulation
    ahead = world.stage.count - 1 - world.stage.index
    number = step.samples.start // step.data.layout.global_batch + 1  # of the batch, for faults on purpose
    batches = (step.data.batch(step.samples, turn, world.data_rank) for turn in range(turns))
    waiting: deque[ForwardPass] = deque()
    agreement, skip = _Agreement(step), False
    for turn, passed in enumerate(chain(forward_passes(engine, world, batches, turns), repeat(None, ahead)), -ahead):
        if passed is not None:
            output = fault_injection.corrupt_loss_if_due(passed.output, world.rank, number)
            waiting.append(ForwardPass(passed.inputs, output))
            agreement.add(output.detach())
        if turn < 0:
            continue
        due, last = waiting.popleft(), turn == turns - 1
        skip = last and agreement.must_skip()
        backward(engine, world, _without_update(due) if skip else due, last=last)
        if last:
            agreement.begin()
        engine.step()
    applied = engine.was_step_applied()
    if not applied:
        clear_gradients(engine)
    norm = float(engine.get_global_grad_norm()) if applied else None
    votes = agreement.wait()
    return StepOutcome(agreement.mean_loss(votes), norm, applied, skip, votes, agreement.own_seconds)


def _without_update(due: ForwardPass) -> ForwardPass:
    """The pass with NaN gradients: DeepSpeed then skips the update and clears its state in every ZeRO stage."""
    return ForwardPass(due.inputs, due.output * NAN)


class _Agreement:
    """The all-reduce of a step's votes."""

    def __init__(self, step: StepInputs) -> None:
        self._step, self._missing = step, step.data.layout.accumulation
        self._began, self.own_seconds = time.monotonic(), 0.0
        self._sum: Tensor | float = 0.0
        self._loss: Readback | None = None
        self._wait: Callable[[], list[float]] | None = None

    def add(self, output: Tensor) -> None:
        """Add what a forward pass has made: on the last stage a loss."""
        self._missing -= 1
        if self._step.world.stage.last:
            self._sum = self._sum + output
            if not self._missing:
                self._loss = Readback(self._sum)
                self.own_seconds = time.monotonic() - self._began
        if not self._missing and self._step.must_skip:  # early stages do not wait here for the last one
            self.begin()

    def begin(self) -> Callable[[], list[float]]:
        """Send it to the other ranks, once; where no loss is waited for, while the device has a backward pass to do."""
        if self._wait is None:
            loss = self._loss.read() if self._loss else 0.0
            if self._step.world.device.type == "cuda":  # the host knows only now that the forward pass is done
                self.own_seconds = time.monotonic() - self._began
            self._wait = self._step.world.all_reduce_sum_async(self._step.votes(loss).vector())
        return self._wait

    def must_skip(self) -> bool:
        """Whether the update must not be applied, for its mean loss."""
        return self._step.must_skip is not None and self._step.must_skip(self.mean_loss(self.wait()))

    def wait(self) -> StepVotes:
        """The votes of all ranks, summed."""
        return StepVotes.from_vector(self.begin()())

    def mean_loss(self, votes: StepVotes) -> float:
        """Nats per token, over all ranks and micro-batches."""
        return votes.loss_sum / self._step.data.layout.accumulation / self._step.world.ranks_per_stage


def _probe(found: list[str], name: str, gradient: Tensor) -> None:
    if not found and not gradient.isfinite().all():
        found.append(name)
