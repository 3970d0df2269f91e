"""One matrix on two pipeline stages: the embedding of the first, which is the head of the last.

The first stage owns it, so optimizer, checkpoint and gradient norm have it once. The last has a copy, which comes
before the forward passes of a step; its gradient goes back with the last micro-batch, before ZeRO reduces the
embedding's.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed

from ..model.llama import Llama
from .world import World


class TiedEmbedding:
    """This rank's end: the first stage's, or the last one's, which holds the same slice of the same samples."""

    def __init__(self, model: Llama, world: World) -> None:
        self._is_owner = world.stage.first
        away = world.stage.count - 1
        self._other_end = world.neighbour(away if self._is_owner else -away)
        self._expected = False
        self._total: Tensor | None = None  # of the copy's gradients, in fp32
        if model.model.embed_tokens is not None:
            self._weight = model.model.embed_tokens.weight
            self._weight.register_hook(self._with_that_of_the_copy)
        elif model.lm_head is not None:
            self._weight = model.lm_head.weight = model.lm_head.weight.detach().requires_grad_()
            self._weight.register_post_accumulate_grad_hook(self._collect)

    def copy_weight(self) -> None:
        """Bring the copy up to date."""
        if self._is_owner:
            distributed.send(self._weight.detach(), self._other_end)
        else:
            distributed.recv(self._weight.detach(), self._other_end)

    def expect_gradient(self) -> None:
        """The backward pass that comes is the last one of the step."""
        self._expected = self._is_owner

    def send_gradient(self) -> None:
        """After the last backward pass of a step, send what the copy's gradients add up to."""
        if self._total is not None:
            distributed.send(self._total, self._other_end)
            self._total = None

    def _collect(self, weight: Tensor) -> None:
        """Add a micro-batch's gradient to the total."""
        if weight.grad is not None:
            self._total = weight.grad.float() if self._total is None else self._total.add_(weight.grad)
            weight.grad = None

    def _with_that_of_the_copy(self, gradient: Tensor) -> Tensor:
        """The embedding's gradient; with the last micro-batch, that of the head too."""
        if not self._expected:
            return gradient
        self._expected = False
        total = torch.empty_like(gradient, dtype=torch.float32)
        distributed.recv(total, self._other_end)
        return total.add_(gradient).type_as(gradient)
