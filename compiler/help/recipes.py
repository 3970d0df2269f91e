"""What `init` proposes for a step: batch, learning rate and warm-up of the published run of the nearest size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...spec.facts import facts, figures


@dataclass(frozen=True, slots=True)
class Step:
    """Tokens a sequence, sequences a step, peak learning rate, steps of warm-up, and where they come from."""

    length: int
    sequences: int
    learning_rate: float
    warmup: int
    source: str


def propose(parameters: int, tokens: int, devices: int, *, on_cpu: bool) -> Step:
    """The step of the nearest published run, made smaller for a short run, and even on so many devices."""
    row, usual = _nearest(parameters), figures("recipes")
    small = usual["small"]
    length = small["length"] if on_cpu or row is None else row["sequence_length"]
    published = small["sequences"] if on_cpu or row is None else row["batch_tokens"] // length
    sequences = max(1, min(published, tokens // (usual["fewest_steps"] * length)))
    if devices <= published:
        sequences = math.ceil(sequences / devices) * devices
    steps = tokens // (sequences * length)
    asked = small["warmup"] if row is None else row.get("warmup_steps") or round(row["warmup_share"] * steps)
    warmup = min(asked, steps // usual["longest_warmup"])
    return Step(length, sequences, _rate(row, parameters, tokens), warmup, _source(row))


def _nearest(parameters: int) -> dict[str, Any] | None:
    table = figures("recipes")
    row = min(table["rows"], key=lambda row: abs(math.log(row["parameters"] / parameters)))
    return row if row["parameters"] / parameters <= table["reach"] else None


def _rate(row: dict[str, Any] | None, parameters: int, tokens: int) -> float:
    if row is not None:
        return row["learning_rate"]
    rule = figures("sanity")["learning_rate"]
    flops = 6.0 * parameters * max(1, tokens)
    return min(rule["coefficient"] * flops ** rule["exponent"], figures("recipes")["largest_rate"])


def _source(row: dict[str, Any] | None) -> str:
    """The text of the source, short enough for a comment of the spec."""
    if row is None:
        return facts("sanity")["learning_rate"].source
    return facts("recipes")["sources"][row["source"]]["text"]
