"""How often the text of each source of a mixture is seen.

From the sizes of the files that are here; preparing the data counts exactly. `trainwright estimate` has a table of it.

Bad:

    data: {train: [{path: corpus/*.txt, weight: 9}, {path: tiny.txt, weight: 1}]}

Good:

    data: {train: corpus/*.txt}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.number_text import count, percent, significant
from ..load import Loaded
from ..plan.corpus_tokens import source_tokens
from .finding import Finding

CODE = "TW505"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A line for each source, once all of them are found."""
    for index, source in enumerate(source_tokens(loaded) or ()):
        tokens, seen = (_between(*bounds) for bounds in (map(count, source.tokens), map(_times, source.epochs)))
        message = f"{tokens} tokens, {percent(source.share, 1)} of the samples, seen {seen} times"
        yield Finding(f"data.train.{index}.path", message, "Weights (data.train[].weight) change the shares.")


def _times(value: float) -> str:
    return significant(value, 3)


def _between(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
