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

from collections.abc import Iterator
from pathlib import Path

from ...spec.facts import facts
from ...spec.glob import Found, find
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
    packed = facts("sanity")["compression"]
    found = found_here(pattern, folder)
    sizes = [path.stat().st_size * packed.get(path.suffix.lstrip("."), 1) for path in found.files]
    return sum(sizes) if found.complete and sum(sizes) else None


def found_here(pattern: str, folder: Path) -> Found:
    """What matches a pattern from here, as far as that can be found out at once."""
    return find(pattern, folder, most_files=MAX_FILES, most_folders=MAX_FOLDERS)
