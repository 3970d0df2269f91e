"""How far the run is from the compute-optimal number of tokens, about 20 a parameter.

Fewer tokens: a smaller model would reach the same loss with the same compute. More tokens: a larger model would, but a
small one that was trained for long is cheaper to use, as the Llama models are. It is a note, with the figure.

Bad:

    model: llama2-70b
    data: {tokens: 100B}

Good:

    model: llama2-70b
    data: {tokens: 2T}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import facts
from ...spec.quantity import TOKENS
from ..load import Loaded
from .finding import Finding

CODE = "TW501"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A number of tokens more than four times off the optimum."""
    fact, parameters = facts("sanity")["tokens_per_parameter"], loaded.spec.model.shape.parameters
    rule = fact.value
    ratio = loaded.spec.data.tokens / parameters
    if rule["optimal"] / rule["tolerance"] <= ratio <= rule["optimal"] * rule["tolerance"]:
        return
    best = TOKENS.text(float(f"{rule['optimal'] * parameters:.2g}")).removesuffix(" tokens")
    message = f"{ratio:.3g} tokens a parameter; compute-optimal is about {rule['optimal']} ({best} tokens)"
    yield Finding("data.tokens", message, f"Source: {fact.source}.")
