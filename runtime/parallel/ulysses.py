"""Ulysses sequence parallelism (arXiv 2309.14509): part of every sequence a rank; in attention, part of the heads.

DeepSpeed does not know: to it the ranks of a sequence group are data-parallel ranks, since the mean over ranks of the
mean loss of equal parts is the mean loss. So no ZeRO stage, gradient norm or clipping can go wrong over it, as they do
when DeepSpeed's own sequence parallelism is used (its ZeRO-1 and 2 leave the ranks with different weights).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, distributed

from ..model.attention import causal_attention
from ..model.document_mask import Documents


class Ulysses:
    """Causal attention over sequences that are spread over `group`; a drop-in for `causal_attention`."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._size = distributed.get_world_size(group)

    def __call__(
        self, q: Tensor, k: Tensor, v: Tensor, documents: Documents | None, window: int | None = None
    ) -> Tensor:
        """Attend; `q`, `k`, `v` [batch, part of time, heads, head size], `documents` of the whole sequences or None."""
        whole = [self._scatter_heads(tensor) for tensor in (q, self._repeat_kv_heads(k), self._repeat_kv_heads(v))]
        mixed = causal_attention(whole[0], whole[1], whole[2], documents, window)
        return self._gather_heads(mixed)

    def _repeat_kv_heads(self, x: Tensor) -> Tensor:
        """Repeat key or value heads until they can be dealt out evenly."""
        return x.repeat_interleave(math.lcm(x.shape[2], self._size) // x.shape[2], dim=2)

    def _scatter_heads(self, x: Tensor) -> Tensor:
        """[batch, time / n, heads, size] -> [batch, time, heads / n, size]."""
        sent = x.unflatten(2, (self._size, -1)).movedim(2, 0)
        return _all_to_all(sent, self._group).movedim(0, 1).flatten(1, 2)

    def _gather_heads(self, x: Tensor) -> Tensor:
        """[batch, time, heads / n, size] -> [batch, time / n, heads, size]."""
        sent = x.unflatten(1, (self._size, -1)).movedim(1, 0)
        return _all_to_all(sent, self._group).movedim(0, 2).flatten(2, 3)


class _AllToAll(torch.autograd.Function):
    """Row i goes to rank i; what came from rank i becomes row i. Its own inverse, so its own gradient."""

    @staticmethod
    def forward(ctx: Any, sent: Tensor, group: Any) -> Tensor:
        ctx.group = group
        sent = sent.contiguous()
        received = torch.empty_like(sent)
        distributed.all_to_all_single(received, sent, group=group)
        return received

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _AllToAll.forward(ctx, gradients[0], ctx.group), None


def _all_to_all(sent: Tensor, group: Any) -> Tensor:
    return _AllToAll.apply(sent, group)  # pyright: ignore[reportReturnType] - torch leaves `apply` untyped


def sequence_group(sequence: int, tensor: int) -> Any:
    """The process group of this rank's sequence parts. Every rank makes all groups, in the same order."""
    mine = None
    for first in range(0, distributed.get_world_size(), sequence * tensor):
        for offset in range(tensor):
            ranks = range(first + offset, first + sequence * tensor, tensor)
            group = distributed.new_group(list(ranks))
            mine = group if distributed.get_rank() in ranks else mine
    return mine
