"""The shape of a decoder-only transformer: what every FLOP, byte and parameter count is derived from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .facts import figures


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

    def checkpoint_bytes(self, precision: str) -> float:
        """Bytes of one checkpoint: the optimizer's state in fp32 and the weights in the precision of training."""
        return self.parameters * (figures("planning")["saved_state_bytes"] + (4 if precision == "fp32" else 2))

    @property
    def head_size(self) -> int:
        """Elements per attention head."""
        return self.hidden_size // self.heads

    @cached_property
    def kv_size(self) -> int:
        """Elements of the keys (or values) of one token."""
        return self.kv_heads * self.head_size

    @property
    def attention_parameters(self) -> int:
        """Weights of q, k, v and output projections of one layer."""
        d = self.hidden_size
        biases = (2 * d + 2 * self.kv_size) if self.biases else 0
        return 2 * d * d + 2 * d * self.kv_size + biases

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

    def training_flops(self, sequence_length: int, *, causal: bool = False) -> float:
        """FLOPs of forward and backward for one token, as MFU counts them: recomputation does not count.

        6 per weight of a matrix product (the embedding is a look-up) and 12 x layers x width x context for attention
        (PaLM, arXiv 2204.02311, appendix B); half as much for attention where only what a causal mask leaves counts.
        """
        tables = self.vocab_size * self.hidden_size + self.learned_positions * self.hidden_size
        matrices = self.parameters - (0 if self.tied_embeddings else tables)
        attention = 12.0 * self.layers * self.hidden_size * sequence_length
        return 6.0 * matrices + attention * (0.5 if causal else 1.0)
