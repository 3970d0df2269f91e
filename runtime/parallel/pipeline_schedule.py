"""Forward and backward passes of micro-batches through this rank's part of the model, the whole or a pipeline stage.

A stage takes hidden states from the stage before, gives its own to the one after, and takes and gives gradients the
other way round. The receive of the next hidden states is posted before a gradient is sent, so that both ends of a link
have the same order of messages: NCCL would wait for ever otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, distributed

from ..data.dataset import Batch
from ..model.llama import Llama
from .inputs import model_inputs
from .world import World


class PipelineEngine(Protocol):
    """What the schedule uses of the engine."""

    module: Llama

    def __call__(self, **inputs: Any) -> Tensor:
        """The forward pass."""
        ...

    def backward(self, loss: Tensor, *, scale_wrt_gas: bool = True) -> Any:
        """The backward pass; `scale_wrt_gas` divides the loss by the number of micro-batches."""
        ...


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """A forward pass: what came in, and what was made of it: on the last stage the loss in nats per token."""

    inputs: Tensor
    output: Tensor


def forward_passes(engine: PipelineEngine, world: World, batches: Iterable[Batch], count: int) -> Iterator[ForwardPass]:
    """The forward passes of `count` micro-batches, each when it is asked for."""
    stage, coming, tied = world.stage, None, engine.module.tied_stages
    if tied is not None:
        tied.copy_weight()
    for number, inputs in enumerate(model_inputs(batches, world), 1):
        weight = inputs.pop("weight")
        if not stage.first:
            coming = coming or _post_receive(engine, world, inputs["x"].shape)
            inputs["x"] = coming.wait()
        output = engine(**inputs)
        if stage.last and weight != 1.0:
            output = output * weight
        if not stage.first:
            coming = _post_receive(engine, world, inputs["x"].shape[:2]) if number < count else None
        sent = None if stage.last else distributed.isend(output.detach(), world.neighbour(1))
        yield ForwardPass(inputs["x"], output)
        if sent is not None:
            sent.wait()


def backward(engine: PipelineEngine, world: World, passed: ForwardPass, *, last: bool) -> None:
    """The backward pass: from the loss on the last stage, elsewhere from the gradient that the next stage sends.

    `last`: no other follows in this step.
    """
    tied = engine.module.tied_stages if last else None
    if tied is not None:
        tied.expect_gradient()
    if world.stage.last:
        engine.backward(passed.output)
    else:
        gradient = torch.empty_like(passed.output)
        distributed.recv(gradient, world.neighbour(1))
        # DeepSpeed wants a loss: this one's gradient is the one that came, which has the mean over micro-batches in it.
        engine.backward((passed.output * gradient).sum(), scale_wrt_gas=False)
    if not world.stage.first:
        distributed.send(_gradient(passed.inputs), world.neighbour(-1))
    if tied is not None:
        tied.send_gradient()


@dataclass(frozen=True, slots=True)
class _PendingReceive:
    """Hidden states on their way."""

    hidden: Tensor
    work: Any

    def wait(self) -> Tensor:
        """Until they are here. Their gradient will be wanted."""
        self.work.wait()
        return self.hidden.requires_grad_()


def _post_receive(engine: PipelineEngine, world: World, shape: torch.Size) -> _PendingReceive:
    """Make room for hidden states of `shape` [batch, time] from the stage before."""
    model = engine.module
    kind = next(model.parameters()).dtype
    hidden = torch.empty(*shape, model.sizes.hidden_size, dtype=kind, device=world.device)
    return _PendingReceive(hidden, distributed.irecv(hidden, world.neighbour(-1)))


def _gradient(taken: Tensor) -> Tensor:
    if taken.grad is None:
        raise RuntimeError("no gradient reached the start of this stage")
    return taken.grad
