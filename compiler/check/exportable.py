"""A class of Hugging Face's transformers computes the model, so that it can be exported.

Each class has some of what the spec can say: Llama a head size of its own; Mistral a sliding window in all layers,
Ministral by layer; Qwen 2 q/k/v biases; Qwen 3 norms of each head's queries and keys; OLMo 2 norms of all heads
together and norm_after; SmolLM3 layers without positions. All scale rotary positions, but OLMo 3 (OLMo 2 with windows).
None of these has a logit_softcap.

Bad:

    model: {preset: llama2-7b, qkv_biases: true, qk_norm: head}

Good:

    model: {preset: llama2-7b, qk_norm: head}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.model_family import family_of
from ..load import Loaded
from .finding import Finding

CODE = "TW412"

_FEATURES = (
    *("head_size", "qkv_biases", "qk_norm", "norm_after", "rope_scaling", "no_rope_every", "sliding_window"),
    *("full_attention_every", "logit_softcap"),
)


def check(loaded: Loaded) -> Iterator[Finding]:
    """A combination that `export` would refuse."""
    model = loaded.spec.model
    if family_of(model) is None:
        used = [name for name in _FEATURES if getattr(model, name)]
        message = f"no class of transformers is Llama with {' and '.join(used)} and nothing else"
        yield Finding("model", message, "Train it so if no export is needed, or leave one of them out.")
