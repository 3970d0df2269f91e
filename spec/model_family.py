"""Which class of Hugging Face's transformers computes a model: what each has by itself, and what it takes for granted.

An export is written for the first that computes the model, an import is read by the rules of the one that it names.
Read off the configuration and modelling files of transformers 5.23 (2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .model import Model
from .shape import QkNorm

_ALLOWED = {"none": {"none"}, "all": {"none", "all"}, "layers": {"none", "all", "layers"}}


@dataclass(frozen=True, slots=True)
class Family:
    """A model class of transformers.

    `windows`: whether layers can have a sliding window, and whether each can differ; `switched`: whether the window is
    used only with `use_sliding_window`; `even_heads`: whether hidden_size must be a multiple of the heads. The fields
    from `window` on are what keys of config.json are where they are left out.
    """

    model_type: str
    architecture: str
    qk_norm: QkNorm | None = None
    norm_after: bool = False
    qkv_biases: bool = False
    no_rope: bool = False
    windows: Literal["none", "all", "layers"] = "none"
    switched: bool = False
    scales_rope: bool = True
    even_heads: bool = False
    window: int | None = None
    head_dim: int | None = None
    theta: float = 10000.0
    eps: float = 1e-6
    tied: bool = False

    @property
    def defaults(self) -> dict[str, Any]:
        """Values of keys that a config.json may leave out."""
        values = {"sliding_window": self.window, "head_dim": self.head_dim, "rope_theta": self.theta}
        return {**values, "rms_norm_eps": self.eps, "tie_word_embeddings": self.tied}

    def computes(self, model: Model) -> bool:
        """Whether this class gives the model's logits."""
        windows = "none" if model.sliding_window is None else "layers" if model.full_attention_every else "all"
        return (
            (self.qk_norm, self.norm_after, self.qkv_biases) == (model.qk_norm, model.norm_after, model.qkv_biases)
            and windows in _ALLOWED[self.windows]
            and (self.no_rope or model.no_rope_every is None)
            and (self.scales_rope or model.rope_scaling is None)
            and not (self.even_heads and model.hidden_size % model.heads)
            and model.logit_softcap is None
        )


FAMILIES = (
    Family("llama", "LlamaForCausalLM", even_heads=True),
    Family("mistral", "MistralForCausalLM", windows="all", window=4096),
    Family("ministral", "MinistralForCausalLM", windows="layers", window=4096),
    Family("qwen2", "Qwen2ForCausalLM", qkv_biases=True, windows="layers", window=4096, switched=True),
    Family("qwen3", "Qwen3ForCausalLM", qk_norm="head", windows="layers", window=4096, switched=True, head_dim=128),
    Family("olmo2", "Olmo2ForCausalLM", qk_norm="full", norm_after=True, eps=1e-5),
    Family(
        "olmo3",
        "Olmo3ForCausalLM",
        qk_norm="full",
        norm_after=True,
        windows="layers",
        window=4096,
        scales_rope=False,  # it does so in layers without a window only
        eps=1e-5,
        theta=500000.0,
    ),
    Family(
        "smollm3",
        "SmolLM3ForCausalLM",
        no_rope=True,
        windows="layers",
        switched=True,
        theta=2000000.0,
        tied=True,
    ),
)


def family_of(model: Model) -> Family | None:
    """The first class that computes the model, or None."""
    return next((family for family in FAMILIES if family.computes(model)), None)
