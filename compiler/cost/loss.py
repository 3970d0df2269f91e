"""Expected final loss by a published scaling law, with its range and validity."""

from __future__ import annotations

from ...spec.estimate import Range
from ...spec.facts import figures


def final_loss(parameters: int, tokens: float) -> Range | None:
    """Loss in nats per token after `tokens`: E + A/N^alpha + B/D^beta (arXiv 2404.10102, eq. 1).

    E and A are those of a Llama-like mix and tokenizer (`spec/facts/loss_law.yaml` has the runs). None (unknown) for
    sizes more than ten times beyond those that the law was fitted on.
    """
    law = figures("loss_law")
    sizes = ((parameters, law["parameters"]), (tokens, law["tokens"]))
    if any(not low / law["far"] <= size <= high * law["far"] for size, (low, high) in sizes):
        return None
    value = law["E"] + law["A"] / parameters ** law["alpha"] + law["B"] / tokens ** law["beta"]
    inside = all(low <= size <= high for size, (low, high) in sizes)
    spread = law["spread"] * (1 if inside else 2)
    return Range(
        value=value, low=value - spread, high=value + spread, because=_because(law["plain_web"], inside=inside)
    )


def _because(plain_web: float, *, inside: bool) -> str:
    """What the range holds, and what it does not."""
    where = "a web and code mix in 32k tokens" if inside else "outside the sizes that the law was fitted on"
    return f"{where}; plain web text ends up to {plain_web:g} nats higher"
