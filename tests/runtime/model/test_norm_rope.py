"""Gradients written by hand are those of autograd, in every type, whole or by slices."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trainwright.runtime.model import lm_head as heads
from trainwright.runtime.model.lm_head import Head, LossTerms
from trainwright.runtime.model.norm_rope import Norm, rotary_angles, rotate


def random(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """A seeded random leaf."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype).requires_grad_()


def gradients(output: torch.Tensor, *leaves: torch.Tensor) -> list[torch.Tensor]:
    """The gradients of a random projection of the output."""
    return list(torch.autograd.grad(output, leaves, random(*output.shape, seed=9, dtype=output.dtype).detach()))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
def test_norm_is_torchs(dtype, tolerance):
    """Value and both gradients equal torch's RMSNorm."""
    norm = Norm(24, 1e-5)
    with torch.no_grad():
        norm.weight.copy_(random(24, seed=2))
    norm.to(dtype)
    x = random(3, 5, 24, dtype=dtype)
    own, reference = norm(x), F.rms_norm(x, (24,), norm.weight, 1e-5)
    torch.testing.assert_close(own, reference, rtol=tolerance, atol=tolerance)
    for mine, theirs in zip(gradients(own, x, norm.weight), gradients(reference, x, norm.weight), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance * 5)


def test_rotation_turns_pairs_by_their_positions():
    """Value and gradient equal complex multiplication by e^(i m theta), as RoPE is defined."""
    x = random(2, 7, 3, 8)
    angles = torch.arange(7)[:, None, None] * 10000.0 ** (-torch.arange(0, 8, 2) / 8)
    turned = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones_like(angles), angles)
    reference = torch.cat((turned.real, turned.imag), dim=-1)
    own = rotate(x, rotary_angles(torch.arange(7), 8, 10000.0))
    torch.testing.assert_close(own, reference)
    torch.testing.assert_close(gradients(own, x), gradients(reference, x))


def head(vocabulary: int, dtype: torch.dtype = torch.float32) -> Head:
    """A head with random weights."""
    made = Head(16, vocabulary)
    with torch.no_grad():
        made.weight.copy_(random(vocabulary, 16, seed=4))
    return made.to(dtype)


@pytest.mark.parametrize("rows", [1, 7, 15, 1000])
def test_the_sliced_loss_is_the_plain_one(monkeypatch, rows):
    """However the batch is cut, the loss and both gradients are those of the cross entropy of all logits."""
    monkeypatch.setattr(heads, "MIN_CHUNK_ROWS", rows)
    monkeypatch.setitem(heads.CHUNK_LOGITS, "cpu", rows * 50)
    made, hidden = head(50), random(3, 5, 16)
    targets = torch.randint(0, 50, (3, 5), generator=torch.Generator().manual_seed(2))
    own = made(hidden, targets)
    reference = F.cross_entropy(made(hidden).flatten(0, 1), targets.flatten())
    torch.testing.assert_close(own, reference)
    expected = torch.autograd.grad(3 * reference, (hidden, made.weight))
    torch.testing.assert_close(torch.autograd.grad(3 * own, (hidden, made.weight)), expected)
    with torch.no_grad():
        torch.testing.assert_close(made(hidden, targets), reference.detach())


@pytest.mark.parametrize("cap", [None, 2.0])
def test_soft_cap_and_z_loss_have_their_gradients(monkeypatch, cap):
    """Bounded logits and the z-loss change both gradients as autograd says; the loss is the cross entropy alone."""
    monkeypatch.setattr(heads, "MIN_CHUNK_ROWS", 4)
    monkeypatch.setitem(heads.CHUNK_LOGITS, "cpu", 4 * 50)
    made, hidden = head(50), random(3, 5, 16)
    made.terms = LossTerms(cap, 1e-2)
    targets = torch.randint(0, 50, (3, 5), generator=torch.Generator().manual_seed(2))
    logits = F.linear(hidden, made.weight).flatten(0, 1)
    logits = logits if cap is None else cap * torch.tanh(logits / cap)
    torch.testing.assert_close(made(hidden).flatten(0, 1), logits)
    entropy = F.cross_entropy(logits, targets.flatten())
    own = made(hidden, targets)
    torch.testing.assert_close(own, entropy)
    whole = entropy + 1e-2 * logits.logsumexp(1).square().mean()
    expected = torch.autograd.grad(whole, (hidden, made.weight))
    torch.testing.assert_close(torch.autograd.grad(own, (hidden, made.weight)), expected)


def test_the_loss_is_stable_and_exact_in_fp32(monkeypatch):
    """Huge logits give a finite loss, and bf16 hidden states a loss that is summed in fp32."""
    monkeypatch.setattr(heads, "MIN_CHUNK_ROWS", 8)
    monkeypatch.setitem(heads.CHUNK_LOGITS, "cpu", 400)
    made, targets = head(50, torch.bfloat16), torch.zeros(4, 64, dtype=torch.long)
    hidden = random(4, 64, 16, dtype=torch.bfloat16)
    loss = made(hidden, targets)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(
        loss, F.cross_entropy(made(hidden).flatten(0, 1).float(), targets.flatten()), rtol=1e-5, atol=0
    )
    for_hidden, for_weight = torch.autograd.grad(loss, (hidden, made.weight))
    assert (for_hidden.dtype, for_weight.dtype) == (torch.bfloat16, torch.bfloat16)
    assert torch.isfinite(made(hidden.detach() * 1e4, targets))
