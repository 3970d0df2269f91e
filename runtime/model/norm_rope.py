"""RMSNorm and rotary positions with their gradients written out: fewer passes over memory than autograd's own.

On a CPU, where every elementwise operation reads and writes all activations, that is a tenth of a training step.
Arithmetic is in fp32 whatever the input, results have the input's type.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own idiom
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ...spec.sections import RopeScaling
from .rope_scaling import amplitude, scaled_frequencies

Angles = tuple[Tensor, Tensor]


class Norm(nn.Module):
    """RMSNorm (arXiv 1910.07467): x / sqrt(mean(x^2) + eps) * weight, over the last dimension."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """The same shape and type as `x`."""
        return normalised(x, self.weight, self.eps)


def normalised(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """RMSNorm of `x` with a weight of the size of its last dimension."""
    if x.is_cuda or torch.compiler.is_compiling():  # there torch fuses it
        return F.rms_norm(x, weight.shape, weight, eps)
    return _RootMeanSquare.apply(x, weight, eps)


class _RootMeanSquare(torch.autograd.Function):
    """Norm with its gradient by hand."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = (length.square_() / x.shape[-1] + eps).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight).type_as(x)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - the decorator is untyped
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor, None]:
        x, weight, scale = ctx.saved_tensors
        (gradient,) = gradients
        wide = x.float()
        inner = gradient.float() * weight
        along = torch.linalg.vecdot(inner, wide)[..., None] * scale.pow(3) / x.shape[-1]
        for_weight = (wide * scale).mul_(gradient).flatten(0, -2).sum(0)
        for_x = inner.mul_(scale).addcmul_(wide, along, value=-1)
        return for_x.type_as(x), for_weight.type_as(weight), None


def rotary_angles(positions: Tensor, head_size: int, theta: float, scaling: RopeScaling | None = None) -> Angles:
    """Cosine and signed sine [..., time, 1, head size] in fp32 of RoPE's angles (arXiv 2104.09864, equation 15)."""
    exponents = torch.arange(0, head_size, 2, device=positions.device, dtype=torch.float32) / head_size
    frequencies = theta**-exponents
    if scaling is not None:
        frequencies = scaled_frequencies(frequencies, theta, scaling)
    angles = (positions.float()[..., None] * frequencies)[..., None, :]
    cosine, sine = angles.cos(), angles.sin()
    if scaling is not None:
        cosine, sine = cosine * amplitude(scaling), sine * amplitude(scaling)
    return torch.cat((cosine, cosine), dim=-1), torch.cat((-sine, sine), dim=-1)


def rotate(x: Tensor, angles: Angles) -> Tensor:
    """Turn [batch, time, heads, head size] by `rotary_angles`; a head's halves are the pairs, as in Hugging Face."""
    if torch.compiler.is_compiling():  # its own gradient is as good
        return _turned(x, *angles, 1)
    return _Rotation.apply(x, *angles)


class _Rotation(torch.autograd.Function):
    """Its gradient turns back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        ctx.save_for_backward(cosine, sine)
        return _turned(x, cosine, sine, 1)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - the decorator is untyped
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, None, None]:
        cosine, sine = ctx.saved_tensors
        return _turned(gradients[0], cosine, sine, -1), None, None


def _turned(x: Tensor, cosine: Tensor, sine: Tensor, direction: int) -> Tensor:
    """Pairs (a, b) -> (a cos - b sin, b cos + a sin), or back."""
    return (x * cosine).addcmul_(x.roll(x.shape[-1] // 2, dims=-1), sine, value=direction).type_as(x)
