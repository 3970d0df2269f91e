"""The attention block: projections, norms of queries and keys, rotary positions, and the core that mixes values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ...spec.sections import Model
from .document_mask import Documents
from .norm_rope import Angles, Norm, rotate

# q [batch, time, heads, head size], k and v [batch, time, kv heads, head size], documents or None, a window in tokens
# or None -> [batch, time, heads, head size]. Ulysses wraps `causal_attention` in its all-to-all.
Attention = Callable[[Tensor, Tensor, Tensor, Documents | None, int | None], Tensor]

recomputed: Callable[..., Tensor] = partial(checkpoint, use_reentrant=False)


def unturned(x: Tensor, angles: Angles) -> Tensor:
    """In place of `rotate` in a layer without positions."""
    del angles
    return x


def unchanged(x: Tensor) -> Tensor:
    """What tensor parallelism replaces where attention and feed-forward begin: their matrices share one input."""
    return x


class SelfAttention(nn.Module):
    """Grouped-query attention with rotary positions: [batch, time, hidden] -> [batch, time, hidden]."""

    def __init__(self, model: Model, attention: Attention, layer: int, *, recompute: bool) -> None:
        super().__init__()
        hidden, shape, biases = model.hidden_size, model.shape, model.qkv_biases
        self.head_size = shape.head_size
        self.attention = attention
        self.window = model.window(layer)
        self.rotate: Callable[[Tensor, Angles], Tensor] = rotate if model.has_positions(layer) else unturned
        self.recompute = recompute
        self.enter: Callable[[Tensor], Tensor] = unchanged
        self.q_proj = nn.Linear(hidden, shape.q_size, bias=biases)
        self.k_proj = nn.Linear(hidden, shape.kv_size, bias=biases)
        self.v_proj = nn.Linear(hidden, shape.kv_size, bias=biases)
        self.o_proj = nn.Linear(shape.q_size, hidden, bias=False)
        self.norm_together = model.qk_norm == "full"
        widths = (shape.q_size, shape.kv_size) if self.norm_together else (self.head_size, self.head_size)
        self.q_norm, self.k_norm = (Norm(n, model.norm_eps) if model.qk_norm else None for n in widths)

    def forward(self, x: Tensor, angles: Angles, documents: Documents | None) -> Tensor:
        """Project, attend, project back."""
        x = self.enter(x)
        q, k, v = (p(x).unflatten(-1, (-1, self.head_size)) for p in (self.q_proj, self.k_proj, self.v_proj))
        if self.recompute:
            return recomputed(self._attend, q, k, v, angles, documents)
        return self._attend(q, k, v, angles, documents)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, angles: Angles, documents: Documents | None) -> Tensor:
        q, k = self._normalised(q, self.q_norm), self._normalised(k, self.k_norm)
        mixed = self.attention(self.rotate(q, angles), self.rotate(k, angles), v, documents, self.window)
        return self.o_proj(mixed.flatten(2))

    def _normalised(self, x: Tensor, norm: nn.Module | None) -> Tensor:
        """Each head of [batch, time, heads, head size] by itself, or all together."""
        if norm is None:
            return x
        return norm(x.flatten(2)).view_as(x) if self.norm_together else norm(x)
