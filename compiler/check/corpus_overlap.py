"""A file belongs to one source.

A file in two sources is read twice in every epoch, which changes the mixture without a word.

Bad:

    data: {train: [{path: corpus/*.txt}, {path: "**/*.txt"}]}

Good:

    data: {train: [{path: corpus/*.txt}, {path: books/*.txt}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...spec.glob import and_more, shown
from ..load import Loaded
from ..plan.corpus_tokens import STDLIB, found_here
from .finding import Finding

CODE = "TW408"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Files that an earlier source has already."""
    patterns, keys = [source.path for source in loaded.spec.data.sources], loaded.spec.data.keys
    if len(patterns) == 1:
        return
    owners: dict[Path, int] = {}
    for index, pattern in enumerate(patterns):
        found = [] if pattern == STDLIB else [path.resolve() for path in found_here(pattern, loaded.path.parent).files]
        shared: dict[int, list[Path]] = {}
        for path in found:
            shared.setdefault(owners.setdefault(path, index), []).append(path)
        for owner, files in sorted(shared.items()):
            if owner != index:
                named = f"{shown(files[0].name)}{and_more(len(files) - 1)}"
                message = f"{named} {'is' if len(files) == 1 else 'are'} also in {patterns[owner]!r}"
                yield Finding(f"{keys[index]}.path", message, "Name each file in one source.")
        if pattern == STDLIB and pattern in patterns[:index]:
            yield Finding(f"{keys[index]}.path", f"{STDLIB} is named twice", "Name it once.")
