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
class LossTerms:
    """What is added to the plain cross entropy.

    `softcap` bounds the logits: softcap x tanh(logits / softcap) (Gemma 2, arXiv 2408.00118, section 2). `z_loss` is
    the weight of the mean squared logarithm of the softmax's sum (PaLM, arXiv 2204.02311, section 5): its gradient
    counts, the loss that is logged stays the cross entropy, so that curves with and without it can be compared.
    """

    softcap: float | None = None
    z_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Chunks:
    """How the logits are gone through.

    `loss_and_logit_grad` turns the logits [rows, vocabulary] of `rows` tokens, their targets [rows, 1] and the weight
    of the z-loss into the summed cross entropy and the gradient of the logits, in fp32.
    """

    rows: int
    loss_and_logit_grad: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]
    terms: LossTerms = LossTerms()

    def score(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The summed loss and the gradient of `logits`, which may be overwritten."""
        cap, z_loss = self.terms.softcap, self.terms.z_loss
        if cap is None:
            return self.loss_and_logit_grad(logits, truth, z_loss)
        logits = logits.float().div_(cap).tanh_()
        slope = 1 - logits.square()
        loss, gradient = self.loss_and_logit_grad(logits.mul_(cap), truth, z_loss)
        return loss, gradient.mul_(slope)


class Head(nn.Module):
    """Hidden states [batch, time, hidden] -> logits [batch, time, vocabulary], or the mean loss in nats."""

    def __init__(self, hidden_size: int, vocab_size: int, softcap: float | None = None) -> None:
        super().__init__()
        self.weight: Tensor = nn.Parameter(torch.empty(vocab_size, hidden_size))
        self.terms = LossTerms(softcap)

    def forward(self, hidden: Tensor, targets: Tensor | None = None) -> Tensor:
        """Logits, or with `targets` [batch, time] the mean cross entropy, both summed and scaled in fp32."""
        if targets is None:
            return soft_capped(F.linear(hidden, self.weight), self.terms.softcap)
        chunks = Chunks(chunk_rows(hidden.device, len(self.weight)), _loss_and_logit_grad, self.terms)
        return mean_loss(hidden.flatten(0, 1), self.weight, targets.flatten(), chunks)


def borrow_weight(head: nn.Module) -> None:
    """Make the weight of `head` no parameter: it is the embedding of another pipeline stage, which owns it."""
    weight = head.get_parameter("weight").detach()
    del head.weight
    head.register_buffer("weight", weight, persistent=False)


def soft_capped(logits: Tensor, cap: float | None) -> Tensor:
    """The logits, bounded where there is a cap."""
    return logits if cap is None else cap * torch.tanh(logits / cap)


def chunk_rows(device: torch.device, vocabulary: int) -> int:
    """Rows of logits in one chunk."""
    return max(MIN_CHUNK_ROWS, CHUNK_LOGITS[device.type] // vocabulary)


def _loss_and_logit_grad(logits: Tensor, truth: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
    logs = F.log_softmax(logits, dim=-1, dtype=torch.float32)
    chosen = logs.gather(1, truth)
    log_sums = logits.gather(1, truth).float() - chosen if z_loss else chosen
    # The gradient of the logits is softmax - one-hot. The mean's 1/n comes last: fp16 would lose small values.
    softmax = with_z_loss(logs.exp_(), log_sums, z_loss)
    return -chosen.sum(), softmax.scatter_add_(1, truth, logs.new_full(truth.shape, -1.0))


def with_z_loss(softmax: Tensor, log_sums: Tensor, z_loss: float) -> Tensor:
    """The softmax [rows, vocabulary] and the gradient of z_loss x log_sums^2, which is a multiple of it, in place."""
    return softmax.mul_(1 + 2 * z_loss * log_sums) if z_loss else softmax


def _mean_loss(hidden: Tensor, weight: Tensor, targets: Tensor, chunks: Chunks) -> Tensor:
    if torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad):
        return _CrossEntropy.apply(hidden, weight, targets, chunks)
    pairs = zip(hidden.split(chunks.rows), targets[:, None].split(chunks.rows), strict=True)
    return torch.stack([chunks.score(F.linear(part, weight), truth)[0] for part, truth in pairs]).sum() / len(targets)


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
    loss, gradient = chunks.score(F.linear(part, weight), truth)
    return loss, gradient.type_as(part)


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add left^T right to `total`, in one pass where the types agree."""
    if left.dtype == total.dtype:
        total.addmm_(left.t(), right)
    else:
        total += left.t() @ right
