"""The output head and its loss in one: logits exist a chunk at a time, and the forward pass computes their gradient.

With 32,000 pieces the logits of a batch and their gradient are larger than all other activations; computed in chunks
they stay in the cache, and the backward pass needs neither them nor the head's weight again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own idiom
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Logits in one chunk: what a core's cache holds, and what keeps a GPU busy without filling its memory.
CHUNK_LOGITS = {"cpu": 2**21, "cuda": 2**27}
MIN_CHUNK_ROWS = 256  # below this the passes over the weight and its gradient cost more than the cache gives


@dataclass(frozen=True, slots=True)
class Chunks:
    """How the logits are gone through.

    `score` turns the logits [rows, vocabulary] of `rows` tokens and their targets [rows, 1] into the summed loss and
    the gradient of the logits, in fp32.
    """

    rows: int
    loss_and_logit_grad: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


class Head(nn.Module):
    """Hidden states [batch, time, hidden] -> logits [batch, time, vocabulary], or the mean loss in nats."""

    def __init__(self, hidden_size: int, vocab_size: int) -> None:
        super().__init__()
        self.weight: Tensor = nn.Parameter(torch.empty(vocab_size, hidden_size))

    def forward(self, hidden: Tensor, targets: Tensor | None = None) -> Tensor:
        """Logits, or with `targets` [batch, time] the mean cross entropy, both summed and scaled in fp32."""
        if targets is None:
            return F.linear(hidden, self.weight)
        chunks = Chunks(chunk_rows(hidden.device, len(self.weight)), _loss_and_logit_grad)
        return mean_loss(hidden.flatten(0, 1), self.weight, targets.flatten(), chunks)


def chunk_rows(device: torch.device, vocabulary: int) -> int:
    """Rows of logits in one chunk."""
    return max(MIN_CHUNK_ROWS, CHUNK_LOGITS[device.type] // vocabulary)


def _loss_and_logit_grad(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    logs = F.log_softmax(logits, dim=-1, dtype=torch.float32)
    loss = -logs.gather(1, truth).sum()
    # The gradient of the logits is softmax - one-hot. The mean's 1/n comes last: fp16 would lose small values.
    return loss, logs.exp_().scatter_add_(1, truth, logs.new_full(truth.shape, -1.0))


def _mean_loss(hidden: Tensor, weight: Tensor, targets: Tensor, chunks: Chunks) -> Tensor:
    if torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad):
        return _CrossEntropy.apply(hidden, weight, targets, chunks)
    pairs = zip(hidden.split(chunks.rows), targets[:, None].split(chunks.rows), strict=True)
    return torch.stack(
        [chunks.loss_and_logit_grad(F.linear(part, weight), truth)[0] for part, truth in pairs]
    ).sum() / len(targets)


# The mean loss in nats, of hidden states [tokens, hidden], the head's weight and targets [tokens].
mean_loss: Callable[[Tensor, Tensor, Tensor, Chunks], Tensor] = cast("Any", torch.compiler).disable(
    _mean_loss
)  # it would unroll the chunks


class _CrossEntropy(torch.autograd.Function):
    """The mean loss; its gradients are computed on the way."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunks: Chunks) -> Tensor:
        for_hidden, for_weight = torch.empty_like(hidden), torch.zeros_like(weight, dtype=torch.float32)
        total = torch.zeros((), device=hidden.device, dtype=torch.float32)
        for start in range(0, len(targets), chunks.rows):
            rows = slice(start, start + chunks.rows)
            loss, error = _chunk_error(hidden[rows], weight, targets[rows, None], chunks)
            total += loss
            torch.mm(error, weight, out=for_hidden[rows])
            _add_product(for_weight, error, hidden[rows])
            del error  # or the next chunk would come on top of this one
        ctx.save_for_backward(for_hidden, for_weight)
        ctx.count, ctx.type = len(targets), weight.dtype
        return total / len(targets)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - the decorator is untyped
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        for_hidden, for_weight = ctx.saved_tensors
        scale = gradients[0] / ctx.count
        return for_hidden.mul_(scale), for_weight.mul_(scale).to(ctx.type), None, None


def _chunk_error(part: Tensor, weight: Tensor, truth: Tensor, chunks: Chunks) -> tuple[Tensor, Tensor]:
    """The summed loss of a slice and the gradient of its logits, in the type of `part`."""
    loss, gradient = chunks.loss_and_logit_grad(F.linear(part, weight), truth)
    return loss, gradient.type_as(part)


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add left^T right to `total`, in one pass where the types agree."""
    if left.dtype == total.dtype:
        total.addmm_(left.t(), right)
    else:
        total += left.t() @ right
