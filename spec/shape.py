"""The shape of a decoder-only transformer: what every FLOP, byte and parameter count is derived from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .facts import figures

QkNorm = Literal["head", "full"]


@dataclass(frozen=True)  # without slots, so that what a search asks thousands of times is kept
class ModelShape:
    """Sizes of a decoder-only transformer.

    The Llama family is the default (gated MLP, grouped-query attention, RMSNorm, no biases, rotary positions);
    `gated=False, biases=True, learned_positions=N` describes a GPT-2-like model, which the estimator must know
    to be checked against published runs.
    """

    layers: int
    hidden_size: int
    ffn_size: int
    heads: int
    kv_heads: int
    vocab_size: int
    gated: bool = True
    tied_embeddings: bool = False
    biases: bool = False
    learned_positions: int = 0
    own_head_size: int | None = None  # where it is not hidden_size / heads
    qkv_biases: bool = False
    qk_norm: QkNorm | None = None
    sliding_window: int | None = None
    full_attention_every: int | None = None
    softcapped: bool = False

    def checkpoint_bytes(self, precision: str) -> float:
        """Bytes of one checkpoint: the optimizer's state in fp32 and the weights in the precision of training."""
        return self.parameters * (figures("planning")["saved_state_bytes"] + (4 if precision == "fp32" else 2))

    @property
    def head_size(self) -> int:
        """Elements per attention head."""
        return self.own_head_size or self.hidden_size // self.heads

    @cached_property
    def q_size(self) -> int:
        """Elements of the queries of one token."""
        return self.heads * self.head_size

    @cached_property
    def kv_size(self) -> int:
        """Elements of the keys (or values) of one token."""
        return self.kv_heads * self.head_size

    @property
    def attention_parameters(self) -> int:
        """Parameters of q, k, v and output projections of one layer, and of the norms of q and k."""
        d, q, kv = self.hidden_size, self.q_size, self.kv_size
        biases = (d if self.biases else 0) + (q + 2 * kv if self.biases or self.qkv_biases else 0)
        norms = {None: 0, "head": 2 * self.head_size, "full": q + kv}[self.qk_norm]
        return 2 * d * q + 2 * d * kv + biases + norms

    @property
    def mlp_parameters(self) -> int:
        """Weights of the feed-forward block of one layer (three matrices when gated)."""
        d, f = self.hidden_size, self.ffn_size
        matrices = 3 if self.gated else 2
        biases = ((matrices - 1) * f + d) if self.biases else 0
        return matrices * d * f + biases

    @property
    def norm_parameters(self) -> int:
        """Parameters of one normalisation."""
        return self.hidden_size * (2 if self.biases else 1)

    @cached_property
    def layer_parameters(self) -> int:
        """Parameters of one transformer layer."""
        return self.attention_parameters + self.mlp_parameters + 2 * self.norm_parameters

    @property
    def embedding_parameters(self) -> int:
        """Input embedding, learned positions, and the output head unless tied."""
        tables = 1 if self.tied_embeddings else 2
        return (tables * self.vocab_size + self.learned_positions) * self.hidden_size

    @cached_property
    def parameters(self) -> int:
        """All trainable parameters."""
        return self.layers * self.layer_parameters + self.embedding_parameters + self.norm_parameters

    def attended(self, sequence_length: int) -> float:
        """Twice the tokens that a token sees, as the mean of a sequence's tokens and of the layers.

        That is `sequence_length` where all before it are seen, and w (2 - w / sequence_length) in a window of w.
        """
        window = self.sliding_window
        if window is None or window >= sequence_length:
            return sequence_length
        full = self.layers // self.full_attention_every if self.full_attention_every else 0
        near = window * (2 - window / sequence_length)
        return (full * sequence_length + (self.layers - full) * near) / self.layers

    def training_flops(self, sequence_length: int, *, causal: bool = False) -> float:
        """FLOPs of forward and backward for one token, as MFU counts them: recomputation does not count.

        6 per weight of a matrix product (the embedding is a look-up) and 12 x layers x width of all heads x context for
        attention (PaLM, arXiv 2204.02311, appendix B; the context is `attended`); half as much for attention where only
        what a causal mask leaves counts.
        """
        tables = self.vocab_size * self.hidden_size + self.learned_positions * self.hidden_size
        matrices = self.parameters - (0 if self.tied_embeddings else tables)
        attention = 12.0 * self.layers * self.q_size * self.attended(sequence_length)
        return 6.0 * matrices + attention * (0.5 if causal else 1.0)
