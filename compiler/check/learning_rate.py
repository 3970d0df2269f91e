"""The peak learning rate is within ten times of what suits the compute budget.

The rule of thumb is 0.3118 x FLOPs^-0.125 (DeepSeek LLM, arXiv 2401.02954), with 6 x parameters x tokens FLOPs. It is
a warning: other batch sizes, schedules and initialisations move the optimum, but rarely by ten times.

Bad:

    training: {optimizer: {learning_rate: 0.3}}

Good:

    training: {optimizer: {learning_rate: 3e-4}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import facts
from ..load import Loaded
from .finding import Finding

CODE = "TW401"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A learning rate far above or below the rule of thumb."""
    spec, fact = loaded.spec, facts("sanity")["learning_rate"]
    rule = fact.value
    flops = 6.0 * spec.model.shape.parameters * spec.data.tokens
    usual = rule["coefficient"] * flops ** rule["exponent"]
    rate = spec.training.optimizer.learning_rate
    if not usual / rule["tolerance"] <= rate <= usual * rule["tolerance"]:
        ratio = rate / usual
        off = f"{ratio:.3g} times" if ratio > 1 else f"1/{1 / ratio:.3g} of"
        message = f"{rate:g} is {off} what suits this compute budget, about {usual:.1e}"
        yield Finding("training.optimizer.learning_rate", message, f"Rule of thumb: {fact.source}.")
