"""Attention on a CPU: our blocks give what torch's own kernel gives, and are used where they are faster."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own idiom
from torch import Tensor

from trainwright.runtime.model import attention
from trainwright.runtime.model.attention import LONGEST, ROWS, causal_attention
from trainwright.runtime.model.document_mask import Documents


def inputs(time: int, heads: int, kv_heads: int) -> list[Tensor]:
    """Random q, k, v of two sequences with head size 8."""
    torch.manual_seed(time)
    return [torch.randn(2, time, count, 8, requires_grad=True) for count in (heads, kv_heads, kv_heads)]


def expected(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Torch's answer, in fp64."""
    heads_first = (x.double().transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(*heads_first, is_causal=True, enable_gqa=True).transpose(1, 2).float()


def blocks_used(monkeypatch) -> list[tuple[int, ...]]:
    """Shapes that reach our blocks from now on."""
    shapes: list[tuple[int, ...]] = []
    blocks = attention._blocks
    monkeypatch.setattr(attention, "_blocks", lambda *shape: shapes.append(shape) or blocks(*shape))
    return shapes


@pytest.mark.parametrize("time", [1, 7, ROWS, ROWS + 1, 3 * ROWS - 5])
@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (6, 2), (3, 1)])
def test_blocks_equal_torch(monkeypatch, time, heads, kv_heads):
    """Result and all three gradients, for whole and cut blocks and every grouping of heads."""
    used = blocks_used(monkeypatch)
    ours, theirs = inputs(time, heads, kv_heads), inputs(time, heads, kv_heads)
    toward = torch.randn(2, time, heads, 8)
    results = causal_attention(*ours, None), expected(*theirs)
    for result in results:
        result.backward(toward)
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-6)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-4, atol=1e-5)
    assert used == [(time, heads // kv_heads)] * 2


@pytest.mark.parametrize(
    ("time", "kind", "documents"), [(LONGEST + 1, "float32", False), (8, "bfloat16", False), (8, "float32", True)]
)
def test_what_blocks_are_not_for_goes_to_torch(monkeypatch, time, kind, documents):
    """Long sequences would keep too much, other types lose digits, and documents need a mask of their own."""
    used = blocks_used(monkeypatch)
    q, k, v = (x.to(getattr(torch, kind)) for x in inputs(time, 2, 1))
    mixed = causal_attention(q, k, v, Documents.numbered(torch.zeros(2, time, dtype=torch.long)) if documents else None)
    torch.testing.assert_close(mixed.float(), expected(q, k, v), rtol=0.02, atol=0.02)
    assert used == []


@pytest.mark.parametrize("documents", [False, True])
def test_a_window_hides_what_lies_further_back(documents):
    """A token sees as many tokens as the window holds, itself included, of its own document; gradients agree."""
    numbers = torch.tensor([[0] * 13 + [1] * 7, [0] * 20])
    places = torch.arange(20)
    seen = (places[:, None] >= places) & (places[:, None] - places < 5)
    if documents:
        seen = (seen & (numbers[:, :, None] == numbers[:, None, :]))[:, None]
    ours, theirs = inputs(20, 4, 2), inputs(20, 4, 2)
    mixed = causal_attention(*ours, Documents.numbered(numbers) if documents else None, 5)
    heads_first = (x.transpose(1, 2) for x in theirs)
    reference = F.scaled_dot_product_attention(*heads_first, attn_mask=seen, enable_gqa=True).transpose(1, 2)
    torch.testing.assert_close(mixed, reference)
    for result in (mixed, reference):
        result.sum().backward()
    torch.testing.assert_close([x.grad for x in ours], [x.grad for x in theirs])


def test_a_window_as_long_as_the_sequence_changes_nothing():
    """It goes the way of plain causal attention, to the same bits."""
    ours = inputs(12, 4, 2)
    assert torch.equal(causal_attention(*ours, None, 12), causal_attention(*ours, None))
