"""What each source gives to a run: for the log, from which the report takes it, and in words for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.dataset_index import Index
from ...spec.event_fields import SourceUse
from ...spec.mixture import epochs, shares
from ...spec.plan import Plan


def source_uses(plan: Plan, index: Index) -> tuple[SourceUse, ...]:
    """What each source gives, in the order of the spec."""
    tokens = [float(part.tokens) for part in index.train]
    share = shares([source.weight for source in plan.data.train], tokens)
    seen = epochs(plan.data.tokens, share, [max(1.0, count) for count in tokens])
    own = plan.data.validation_source is not None
    held_out = [part.tokens for part in index.validation]
    uses = [
        SourceUse(
            path=plan.data.train[n].path,  # a dataset keeps those of the spec that it was made for
            documents=part.documents,
            tokens=part.tokens,
            share=share[n],
            epochs=seen[n],
            held_out_tokens=0 if own else held_out[n],
            **_left_out(index, n),
        )
        for n, part in enumerate(index.train)
    ]
    if own:
        (part,) = index.validation
        uses.append(
            SourceUse(
                path=plan.data.sources[-1].path,
                documents=part.documents,
                tokens=0,
                share=0.0,
                epochs=0.0,
                held_out_tokens=part.tokens,
                **_left_out(index, len(uses)),
            )
        )
    return tuple(uses)


def _left_out(index: Index, number: int) -> dict[str, int]:
    """The documents of a source that were not used."""
    facts = index.sources[number : number + 1]
    return {
        "skipped": sum(skipped.documents for source in facts for skipped in source.skipped),
        "duplicates": sum(source.duplicates for source in facts),
    }


def source_lines(plan: Plan, index: Index) -> Iterator[str]:
    """The sources of a mixture with their epochs; of each source what was left out or skipped."""
    if len(index.train) > 1:
        for use in source_uses(plan, index)[: len(index.train)]:
            share = f"{use.share:.1%} of the samples, {use.epochs:.3g} epochs"
            yield f"{use.path}: {use.tokens:,} tokens, {share}"
    for source, facts in zip(plan.data.sources, index.sources, strict=False):
        if facts.left_out:
            yield f"{source.path}: left out {facts.left_out}"
        if facts.duplicates:
            yield f"{source.path}: {facts.duplicates:,} duplicates"
        for skipped in facts.skipped:
            yield f"{source.path}: skipped {skipped.documents:,} ({skipped.code}), e.g. {skipped.examples[0]}"
