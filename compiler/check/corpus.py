"""The corpus is large enough: its text is seen at most four times.

Up to about four passes, repeated text is almost as good as new text; after that its worth falls quickly. The size of
files that can be found from here is turned into tokens at 2.5 to 5 bytes each; nothing is said of patterns with `**`,
since walking a whole file system would take too long.

Bad:

    data: {train: [tiny.txt], tokens: 2T}

Good:

    data: {train: [corpus/*.jsonl.zst], tokens: 2T}
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ...spec.facts import facts
from ...spec.quantity import TOKENS
from ..load import Loaded
from .finding import Finding

CODE = "TW407"
STDLIB = "python:stdlib"

MAX_FILES = 20_000  # beyond this many a corpus is large enough, and looking at each would take seconds


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
    found = list(islice(matches(pattern, folder), MAX_FILES))
    sizes = [path.stat().st_size * (packed if path.suffix == ".zst" else 1) for path in found if path.is_file()]
    return sum(sizes) if len(found) < MAX_FILES and sum(sizes) else None


def matches(pattern: str, folder: Path) -> Iterator[Path]:
    """What matches a pattern from here; nothing for `**`, which is not looked for."""
    if "**" not in pattern:
        # Path.glob raises on patterns such as `.`, which a user may well write.
        yield from (folder / name for name in glob.iglob(pattern, root_dir=folder))  # noqa: PTH207
