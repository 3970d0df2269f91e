"""One optimizer step: accumulate gradients over micro-batches, agree with the other ranks, update or leave it be.

The one all-reduce of the loop's own numbers happens after the last forward pass, before any update: so a batch that
must not count is known in time, and all ranks decide alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from . import inject
from .data.dataset import Batch, Dataset
from .distributed import World
from .engine import forget_gradients

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step. `totals` are the caller's numbers, summed over ranks."""

    loss: float
    gradient_norm: float | None
    applied: bool
    vetoed: bool
    totals: list[float]
    origin: str | None = None  # where a non-finite gradient came from


@dataclass(frozen=True)
class Step:
    """The inputs of an optimizer step. `veto` says whether a step with this mean loss must not be applied."""

    engine: Any
    world: World
    data: Dataset
    number: int  # from 1
    batch: int  # index of the global batch, from 0
    numbers: Callable[[], Sequence[float]]
    veto: Callable[[float], bool]


def take(step: Step) -> Outcome:
    """Run the step. With a non-finite gradient it is computed once more, to name its origin or to find it gone."""
    first = _attempt(step)
    if first.applied or first.vetoed:
        return first
    found: list[str] = []
    probes = [p.register_hook(partial(_probe, found, name)) for name, p in step.engine.module.named_parameters()]
    try:
        second = _attempt(step)
    finally:
        for probe in probes:
            probe.remove()
    origins = [f"rank {rank}: {name}" for rank, name in enumerate(step.world.share(next(iter(found), None))) if name]
    origin = ", ".join(origins) or "not reproduced when computed again: suspect the hardware"
    return Outcome(second.loss, second.gradient_norm, second.applied, second.vetoed, second.totals, origin)


def _attempt(step: Step) -> Outcome:
    engine, turns = step.engine, step.data.layout.accumulation
    loss_sum = torch.zeros((), device=step.world.device)
    totals: list[float] = []
    mean, vetoed = 0.0, False
    for turn in range(turns):
        loss = loss_of(engine, step.data.batch(step.batch, turn, step.world.data_rank), step.world)
        loss = inject.spoil_loss(loss, step.world.rank, step.batch + 1)
        loss_sum += loss.detach()
        if turn == turns - 1:
            total, *totals = step.world.total([loss_sum.item(), *step.numbers()])
            mean = total / turns / step.world.size
            vetoed = step.veto(mean)
        # A NaN makes DeepSpeed skip the update and clean up after itself, whatever the ZeRO stage.
        engine.backward(loss * NAN if vetoed else loss)
        engine.step()
    applied = engine.was_step_applied()
    if not applied:
        forget_gradients(engine)
    return Outcome(mean, float(engine.get_global_grad_norm()) if applied else None, applied, vetoed, totals)


def loss_of(engine: Any, batch: Batch, world: World) -> Tensor:
    """The mean loss of a micro-batch in nats per token, on this rank's part of the sequences."""
    part = batch.tokens.shape[1] // world.layout.sequence
    here = slice(world.sequence_rank * part, (world.sequence_rank + 1) * part)
    positions = torch.arange(here.start, here.stop, device=world.device)
    tokens, targets = batch.tokens[:, here].to(world.device), batch.targets[:, here].to(world.device)
    documents = None if batch.documents is None else batch.documents.to(world.device)
    return engine(tokens, targets=targets, positions=positions, documents=documents)


def _probe(found: list[str], name: str, gradient: Tensor) -> None:
    if not found and not gradient.isfinite().all():
        found.append(name)


def weights(module: nn.Module) -> int:
    """Parameters in all, as DeepSpeed counts them when it has partitioned them."""
    return sum(getattr(p, "ds_numel", p.numel()) for p in module.parameters())
