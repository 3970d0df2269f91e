"""The model section of a spec: a decoder of the Llama family and what its descendants changed."""

from __future__ import annotations

from operator import not_
from typing import Literal

from pydantic import Field, PositiveFloat

from .section import Count, Section, Size
from .shape import ModelShape, QkNorm
from .text_types import Label


class RopeScaling(Section):
    """How rotary positions are stretched for contexts longer than a model was first trained with."""

    kind: Literal["llama3", "yarn", "linear"] = Field(
        description="linear: all positions are divided; llama3 and yarn: long waves only (yarn: arXiv 2309.00071)."
    )
    factor: float = Field(ge=1, le=1_000_000, description="What positions are divided by.")
    original_context: Size | None = Field(
        default=None, description="Tokens per sequence before the stretch; llama3 and yarn need it."
    )
    low_frequency_factor: PositiveFloat | None = Field(
        default=None, description="llama3: original_context over the longest wave that is not divided in full; 1."
    )
    high_frequency_factor: PositiveFloat | None = Field(
        default=None, description="llama3: original_context over the longest wave that is not divided at all; 4."
    )
    beta_fast: PositiveFloat | None = Field(
        default=None, description="yarn: turns within original_context above which a wave is not divided; 32."
    )
    beta_slow: PositiveFloat | None = Field(
        default=None, description="yarn: turns within original_context below which a wave is divided in full; 1."
    )
    attention_factor: PositiveFloat | None = Field(
        default=None, description="yarn: what rotated queries and keys are multiplied by; 0.1 ln(factor) + 1."
    )

    @property
    def bounds(self) -> tuple[float, float]:
        """Turns within original_context up to which a wave is divided in full, and from which it is not at all.

        Defaults are Llama 3.1's (its config.json) and YaRN's (arXiv 2309.00071, section 3.2).
        """
        if self.kind == "llama3":
            return self.low_frequency_factor or 1.0, self.high_frequency_factor or 4.0
        return self.beta_slow or 1.0, self.beta_fast or 32.0


class Model(Section):
    """A decoder of the Llama family: RMSNorm, rotary positions, SwiGLU, grouped-query attention."""

    name: Label = Field(default="custom", description="What reports call the model.")
    layers: Count = Field(description="Transformer layers.")
    hidden_size: Count = Field(description="Width of the residual stream.")
    ffn_size: Size = Field(description="Width of the gated feed-forward block (each of its three matrices).")
    heads: Count = Field(description="Attention (query) heads.")
    kv_heads: Count = Field(description="Key/value heads; fewer than heads means grouped-query attention.")
    vocab_size: Size = Field(description="Rows of the embedding; must equal the tokenizer's vocabulary.")
    tied_embeddings: bool = Field(default=False, description="Share the input embedding with the output head.")
    # Specs from before there were the keys that are left out where they are not set keep their digest.
    head_size: Count | None = Field(
        default=None, exclude_if=not_, description="Elements of an attention head; by default hidden_size / heads."
    )
    qkv_biases: bool = Field(
        default=False, exclude_if=not_, description="Biases of the query, key and value projections (Qwen 2)."
    )
    qk_norm: QkNorm | None = Field(
        default=None,
        exclude_if=not_,
        description="RMSNorm of queries and keys: of each head (Qwen 3), or of all heads together (full, OLMo 2).",
    )
    norm_after: bool = Field(
        default=False,
        exclude_if=not_,
        description="RMSNorm after attention and feed-forward (OLMo 2), in place of before them.",
    )
    rope_theta: PositiveFloat = Field(default=10000.0, description="Base of the rotary position frequencies.")
    rope_scaling: RopeScaling | None = Field(
        default=None, exclude_if=not_, description="Stretch rotary positions for longer contexts."
    )
    no_rope_every: Count | None = Field(
        default=None,
        exclude_if=not_,
        description="Every n-th layer has no rotary positions (arXiv 2501.18795; SmolLM3: 4).",
    )
    sliding_window: Size | None = Field(
        default=None,
        exclude_if=not_,
        description="Tokens that a token attends to, itself included; by default all before it.",
    )
    full_attention_every: Count | None = Field(
        default=None, exclude_if=not_, description="Every n-th layer attends to all tokens, not to sliding_window."
    )
    logit_softcap: PositiveFloat | None = Field(
        default=None, exclude_if=not_, description="Bound of the logits: cap x tanh(logits / cap) (Gemma 2)."
    )
    norm_eps: PositiveFloat = Field(default=1e-5, description="Epsilon of RMSNorm.")
    init_std: PositiveFloat = Field(default=0.02, description="Standard deviation of the normal initialisation.")
    init_from: str | None = Field(
        default=None, description="Begin from the weights in this folder, made by `trainwright import`; else random."
    )

    @property
    def shape(self) -> ModelShape:
        """The sizes, as the estimator reads them."""
        return ModelShape(
            self.layers,
            self.hidden_size,
            self.ffn_size,
            self.heads,
            self.kv_heads,
            self.vocab_size,
            tied_embeddings=self.tied_embeddings,
            own_head_size=self.head_size,
            qkv_biases=self.qkv_biases,
            qk_norm=self.qk_norm,
            sliding_window=self.sliding_window,
            full_attention_every=self.full_attention_every,
            softcapped=self.logit_softcap is not None,
        )

    def window(self, layer: int) -> int | None:
        """Tokens that a token attends to in a layer, counted from 0; None: all before it."""
        return None if _is_nth(layer, self.full_attention_every) else self.sliding_window

    def has_positions(self, layer: int) -> bool:
        """Whether a layer, counted from 0, turns queries and keys by their positions."""
        return not _is_nth(layer, self.no_rope_every)


def _is_nth(layer: int, every: int | None) -> bool:
    return every is not None and (layer + 1) % every == 0
