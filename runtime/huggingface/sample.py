"""A run's own voice: continue a prompt with an exported model, greedily, so that the same weights say the same."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from ...spec.plan import Plan
from ..data.open_tokenizer import AnyTokenizer
from ..model.llama import Llama


def load_exported(plan: Plan, folder: Path) -> Llama:
    """The exported model, in fp32."""
    with torch.device("meta"):
        model = Llama(plan.model)
    weights = {name: w.float() for path in sorted(folder.glob("*.safetensors")) for name, w in load_file(path).items()}
    if plan.model.tied_embeddings:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights, assign=True)
    model.tie()
    return model.eval()


@torch.no_grad()
def greedy_completion(model: Llama, tokenizer: AnyTokenizer, prompt: str, *, context: int, length: int = 100) -> str:
    """`prompt` and at most `length` likeliest tokens after it, each seen from the last `context` tokens."""
    marks = [] if tokenizer.begin is None else [tokenizer.begin]
    ids = [*marks, *tokenizer.encode(prompt).tolist()] or [tokenizer.end]
    for _ in range(length):
        logits = model(torch.tensor([ids[-context:]]))[0, -1]
        following = int(logits.argmax())
        if following == tokenizer.end:
            break
        ids.append(following)
    return tokenizer.decode(ids)
