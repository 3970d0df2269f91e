"""The corpus is large enough: the text of each source is seen at most four times.

Up to about four passes, repeated text is almost as good as new text; after that its worth falls quickly. In a mixture
with weights a small source can be seen more often than the others. The size of files that can be found from here is
turned into tokens at 2.5 to 5 bytes each; nothing is said of a pattern with `**` below which there are thousands of
folders, since walking a whole file system would take too long.

Bad:

    data: {train: [tiny.txt], tokens: 2T}

Good:

    data: {train: [corpus/*.jsonl.zst], tokens: 2T}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...spec.corpus_format import unknown_format
from ...spec.facts import facts
from ...spec.glob import Found, find
from ...spec.mixture import shares
from ...spec.problem import InputError
from ...spec.quantity import TOKENS
from ...spec.sections import CorpusSource
from ...spec.token_file import ITEM_BYTES, open_token_file, without_indices
from ..load import Loaded
from .finding import Finding

CODE = "TW407"
STDLIB = "python:stdlib"

MAX_FILES = 20_000  # beyond this many a corpus is large enough, and looking at each would take seconds
MAX_FOLDERS = 2_000  # as many are walked in a tenth of a second


def check(loaded: Loaded) -> Iterator[Finding]:
    """More passes over the files than their text is worth."""
    sources, total = loaded.spec.data.train, loaded.spec.data.tokens
    tokens = [most_tokens(source, loaded.path.parent) for source in sources]
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
    limit = facts("sanity")["epochs"]["most"]
    if wanted > limit * tokens:
        have = TOKENS.text(int(float(f"{tokens:.2g}"))).removesuffix(" tokens")
        message = f"{who} at most {have} tokens, so each is seen {wanted / tokens:.3g} times"
        yield Finding(where, message, f"Up to {limit} times is almost as good as new text; add text or train less.")


def most_tokens(source: CorpusSource, folder: Path) -> float | None:
    """Tokens that a source holds at most, or None where that is not known."""
    if source.token_ids is None:
        size = size_of(source.path, folder)
        return None if size is None else size / min(facts("sanity")["bytes_per_token"]["range"])
    found = found_here(source.path, folder)
    files = [path for path in without_indices(found.files) if not unknown_format(path.name, source)]
    try:
        items = [ITEM_BYTES[open_token_file(path, source.token_ids).dtype] for path in files[:1]]
    except InputError:  # another rule says so
        return None
    sizes = [path.stat().st_size for path in files]
    return sum(sizes) / items[0] if found.complete and sum(sizes) else None


def size_of(pattern: str, folder: Path) -> float | None:
    """Bytes of text that match a pattern, or None where that is not known: no file here, or too many to look at."""
    if pattern == STDLIB:
        return facts("sanity")["stdlib"]["bytes"]
    packed = facts("sanity")["compression"]
    found = found_here(pattern, folder)
    sizes = [path.stat().st_size * packed.get(path.suffix.lstrip("."), 1) for path in found.files]
    return sum(sizes) if found.complete and sum(sizes) else None


def found_here(pattern: str, folder: Path) -> Found:
    """What matches a pattern from here, as far as that can be found out at once."""
    return find(pattern, folder, most_files=MAX_FILES, most_folders=MAX_FOLDERS)
