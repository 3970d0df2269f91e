"""The corpus is large enough: its text is seen at most four times.

Up to about four passes, repeated text is almost as good as new text; after that its worth falls quickly. The size of
files that can be found from here is turned into tokens at 2.5 to 5 bytes each; nothing is said of a pattern with `**`
below which there are thousands of folders, since walking a whole file system would take too long.

Bad:

    data: {train: [tiny.txt], tokens: 2T}

Good:

    data: {train: [corpus/*.jsonl.zst], tokens: 2T}
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from ...spec.facts import facts
from ...spec.glob import matches
from ...spec.quantity import TOKENS
from ..load import Loaded
from .finding import Finding

CODE = "TW407"
STDLIB = "python:stdlib"

MAX_FILES = 20_000  # beyond this many a corpus is large enough, and looking at each would take seconds
MAX_FOLDERS = 2_000  # as many are walked in a tenth of a second


def check(loaded: Loaded) -> Iterator[Finding]:
    """More passes over the files than their text is worth."""
    patterns = [source.path for source in loaded.spec.data.train]
    sizes = [size_of(pattern, loaded.path.parent) for pattern in patterns]
    if any(size is None for size in sizes):
        return
    most_tokens = sum(size or 0 for size in sizes) / min(facts("sanity")["bytes_per_token"]["range"])
    limit = facts("sanity")["epochs"]["most"]
    tokens = loaded.spec.data.tokens
    if tokens > limit * most_tokens:
        have = TOKENS.text(int(float(f"{most_tokens:.2g}"))).removesuffix(" tokens")
        message = f"these files hold at most {have} tokens, so each is seen {tokens / most_tokens:.3g} times"
        yield Finding(
            "data.tokens", message, f"Up to {limit} times is almost as good as new text; add text or train less."
        )


def size_of(pattern: str, folder: Path) -> float | None:
    """Bytes of text that match a pattern, or None where that is not known: no file here, or too many to look at."""
    if pattern == STDLIB:
        return facts("sanity")["stdlib"]["bytes"]
    packed = facts("sanity")["compression"]["zst"]
    found = list(islice(found_here(pattern, folder) or (), MAX_FILES))
    sizes = [path.stat().st_size * (packed if path.suffix == ".zst" else 1) for path in found if path.is_file()]
    return sum(sizes) if len(found) < MAX_FILES and sum(sizes) else None


def found_here(pattern: str, folder: Path) -> Iterator[Path] | None:
    """What matches a pattern from here; None where that would take too long to find out."""
    before, deep, _ = pattern.partition("**")
    base = folder / (before if before.endswith("/") else Path(before).parent)
    if deep and len(list(islice(os.walk(base), MAX_FOLDERS))) == MAX_FOLDERS:
        return None
    return _patient(pattern, folder)


def _patient(pattern: str, folder: Path) -> Iterator[Path]:
    """Nothing matches what is no pattern, or longer than a file name may be; preparing the data then says why."""
    with suppress(ValueError, OSError):
        yield from matches(pattern, folder)
