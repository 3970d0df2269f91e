"""What each source gives to a run: for the log, from which the report takes it, and in words for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...spec.mixture import epochs, shares
from ...spec.plan import Plan
from ..data.shards import Index


def source_uses(plan: Plan, index: Index) -> list[dict[str, Any]]:
    """The fields of a `data` event: a row a source."""
    tokens = [float(part.tokens) for part in index.train]
    share = shares([source.weight for source in plan.data.train], tokens)
    seen = epochs(plan.data.tokens, share, [max(1.0, count) for count in tokens])
    return [
        {
            "path": part.path,
            "documents": part.documents,
            "tokens": part.tokens,
            "held_out_tokens": held_out.tokens,
            "share": share[number],
            "epochs": seen[number],
            "skipped": sum(
                skipped.documents for facts in index.sources[number : number + 1] for skipped in facts.skipped
            ),
        }
        for number, (part, held_out) in enumerate(zip(index.train, index.validation, strict=True))
    ]


def source_lines(plan: Plan, index: Index) -> Iterator[str]:
    """The sources of a mixture with their epochs; of each source what was left out or skipped."""
    if len(index.train) > 1:
        for use in source_uses(plan, index):
            share = f"{use['share']:.1%} of the samples, {use['epochs']:.3g} epochs"
            yield f"{use['path']}: {use['tokens']:,} tokens, {share}"
    for part, facts in zip(index.train, index.sources, strict=False):
        if facts.left_out:
            yield f"{part.path}: left out {facts.left_out}"
        for skipped in facts.skipped:
            yield f"{part.path}: skipped {skipped.documents:,} ({skipped.code}), e.g. {skipped.examples[0]}"
