"""Causal grouped-query attention: torch's kernels, and on a CPU blocks of our own where they are faster.

torch's kernel for CPUs works with the heads one by one and computes the probabilities again in the backward pass. For
short sequences it is quicker to give the query heads of a group to one product, and to keep the probabilities.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own idiom
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.attention.varlen import varlen_attn

from .document_mask import Documents

ROWS = 32  # queries in one block: fewer do not fill a product, more compute what the mask throws away
FLASH = (torch.bfloat16, torch.float16)  # what its kernels compute in
CAUSAL = (-1, 0)  # all that came before, nothing that comes after
LONGEST = 1024  # above this the kept probabilities, 2 bytes x heads x time^2 a sequence and layer, outgrow the rest


def causal_attention(q: Tensor, k: Tensor, v: Tensor, documents: Documents | None, window: int | None = None) -> Tensor:
    """Causal attention; with `documents`, a token sees only its own document, with a `window` only so many tokens.

    q [batch, time, heads, head size], k and v [batch, time, kv heads, head size] -> the shape of q.
    """
    if window is not None and window >= q.shape[1]:
        window = None
    if documents is None and window is None and _is_small(q):
        return _Blocks.apply(q, k, v)
    if (documents is not None or window is not None) and q.is_cuda and q.dtype in FLASH:
        return _by_document(q, k, v, documents or Documents.rows(q), window)
    mask = _mask(q, documents, window)
    heads_first = (tensor.transpose(1, 2) for tensor in (q, k, v))
    grouped = q.shape[2] != k.shape[2]
    mixed = F.scaled_dot_product_attention(*heads_first, attn_mask=mask, is_causal=mask is None, enable_gqa=grouped)
    return mixed.transpose(1, 2)


def _mask(q: Tensor, documents: Documents | None, window: int | None) -> Tensor | None:
    """Which tokens each token may see, [time, time] or [batch, 1, time, time]; None: all that came before."""
    mask = None if documents is None else documents.mask()
    if window is None:
        return mask
    near = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool, device=q.device).tril().triu(1 - window)
    return near if mask is None else mask & near


def _by_document(q: Tensor, k: Tensor, v: Tensor, documents: Documents, window: int | None) -> Tensor:
    """FlashAttention over documents instead of rows: with a mask torch would compute, and keep, every score."""
    queries, keys, values = (tensor.flatten(0, 1) for tensor in (q, k, v))
    starts, longest, grouped = documents.starts, documents.longest, q.shape[2] != k.shape[2]
    seen = CAUSAL if window is None else (window - 1, 0)
    mixed: Any = varlen_attn(
        queries, keys, values, starts, starts, longest, longest, window_size=seen, enable_gqa=grouped
    )
    return mixed.view_as(q)


def _is_small(q: Tensor) -> bool:
    on_cpu = q.device.type == "cpu" and q.dtype == torch.float32
    return on_cpu and q.shape[1] <= LONGEST and not torch.compiler.is_compiling()  # it would unroll the blocks


class _Blocks(torch.autograd.Function):
    """Attention in blocks of queries, each with the keys up to its end; its gradient by hand.

    Inside, queries are [batch x kv heads, time x group, head size]: the heads of a group are rows side by side, and
    see the same keys. With P the probabilities and O' the gradient of the result: V' = P^T O', S' = P (O' V^T -
    row sums of P O' V^T), Q' = S' K, K' = S'^T Q (arXiv 2205.14135, appendix B.2).
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        kv_heads, group = k.shape[2], q.shape[2] // k.shape[2]
        queries = _grouped(q, kv_heads).mul_(q.shape[-1] ** -0.5)
        keys, values = _grouped(k, kv_heads), _grouped(v, kv_heads)
        mixed, kept = torch.empty_like(queries), list[Tensor]()
        future = torch.full((ROWS, ROWS), -torch.inf).triu_(1).repeat_interleave(group, 0)
        for rows, end in _blocks(q.shape[1], group):
            scores = queries[:, rows] @ keys[:, :end].mT
            own = (rows.stop - rows.start) // group
            scores[..., -own:] += future[: own * group, :own]
            kept.append(scores.softmax(-1))
            torch.bmm(kept[-1], values[:, :end], out=mixed[:, rows])
        ctx.save_for_backward(queries, keys, values, *kept)
        ctx.heads = kv_heads, group
        return _ungrouped(mixed, kv_heads, group)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - the decorator is untyped
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, values, *kept = ctx.saved_tensors
        kv_heads, group = ctx.heads
        gradient = _grouped(gradients[0], kv_heads)
        for_queries, for_keys, for_values = map(torch.zeros_like, (queries, keys, values))
        for (rows, end), kept_rows in zip(_blocks(keys.shape[1], group), kept, strict=True):
            for_values[:, :end].baddbmm_(kept_rows.mT, gradient[:, rows])
            for_kept = gradient[:, rows] @ values[:, :end].mT
            for_scores = torch.ops.aten._softmax_backward_data(for_kept, kept_rows, -1, kept_rows.dtype)  # noqa: SLF001
            torch.bmm(for_scores, keys[:, :end], out=for_queries[:, rows])
            for_keys[:, :end].baddbmm_(for_scores.mT, queries[:, rows])
        for_queries.mul_(queries.shape[-1] ** -0.5)
        return (
            _ungrouped(for_queries, kv_heads, group),
            _ungrouped(for_keys, kv_heads, 1),
            _ungrouped(for_values, kv_heads, 1),
        )


def _blocks(time: int, group: int) -> list[tuple[slice, int]]:
    """Each block's rows of queries, and the number of keys that they may see."""
    ends = [(start, min(start + ROWS, time)) for start in range(0, time, ROWS)]
    return [(slice(start * group, end * group), end) for start, end in ends]


def _grouped(x: Tensor, kv_heads: int) -> Tensor:
    """[batch, time, heads, size] -> a copy [batch x kv heads, time x group, size]."""
    batch, time, heads, size = x.shape
    split = x.reshape(batch, time, kv_heads, heads // kv_heads, size).transpose(1, 2)
    return split.clone(memory_format=torch.contiguous_format).view(batch * kv_heads, -1, size)


def _ungrouped(x: Tensor, kv_heads: int, group: int) -> Tensor:
    """The way back."""
    split = x.view(-1, kv_heads, x.shape[1] // group, group, x.shape[2]).transpose(1, 2)
    return split.flatten(2, 3)
