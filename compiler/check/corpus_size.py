"""The corpus is large enough: the text of each source is seen at most four times.

Up to about four passes, repeated text is almost as good as new text; after that its worth falls quickly. In a mixture
with weights a small source can be seen more often than the others. The size of files that can be found from here is
turned into tokens at 2.5 to 5 bytes each; nothing is reported of a pattern with `**` below which there are thousands of
folders, since walking a whole file system would take too long.

Bad:

    data: {train: [tiny.txt], tokens: 2T}

Good:

    data: {train: [corpus/*.jsonl.zst], tokens: 2T}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ...spec.mixture import shares
from ...spec.number_text import significant
from ...spec.quantity import TOKENS
from ..load import Loaded
from ..plan.corpus_tokens import token_range
from .finding import Finding

CODE = "TW407"


def check(loaded: Loaded) -> Iterator[Finding]:
    """More passes over the files than their text is worth."""
    sources, total = loaded.spec.data.train, loaded.spec.data.tokens
    ranges = [token_range(source, loaded.path.parent) for source in sources]
    tokens = [None if found is None else found[1] for found in ranges]
    weights = [source.weight for source in sources if source.weight is not None]
    if len(weights) < len(sources) or len(sources) == 1:
        if None not in tokens:
            yield from _seen("data.tokens", "these files hold", total, sum(size or 0 for size in tokens))
        return
    for index, (share, size) in enumerate(zip(shares(weights, ()), tokens, strict=True)):
        if size is not None:
            yield from _seen(f"data.train.{index}.weight", "this source holds", total * share, size)


def _seen(where: str, who: str, wanted: float, tokens: float) -> Iterator[Finding]:
    """A finding when `wanted` tokens are drawn from too few."""
    limit = figures("sanity")["epochs"]
    if wanted > limit * tokens:
        have = TOKENS.text(int(float(f"{tokens:.2g}"))).removesuffix(" tokens")
        message = f"{who} at most {have} tokens, so each is seen {significant(wanted / tokens, 3)} times"
        yield Finding(where, message, f"Up to {limit} times is almost as good as new text; add text or train less.")
