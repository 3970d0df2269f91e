"""Whether the training text can be found from here.

A spec is often checked on another machine than the one that trains, so it is a note. Preparing the data refuses a
pattern that matches nothing.

Bad:

    data: {train: copus/*.txt}

Good:

    data: {train: corpus/*.txt}
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..load import Loaded
from .corpus_size import MAX_FILES, STDLIB, found_here
from .finding import Finding

CODE = "TW503"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Patterns that match no file in the folder of the spec."""
    for index, source in enumerate(loaded.spec.data.train):
        pattern, where = source.path, f"data.train.{index}.path"
        here = None if pattern == STDLIB else found_here(pattern, loaded.path.parent)
        found = list(islice(here or (), MAX_FILES))
        if here is None or any(path.is_file() for path in found):
            continue
        if loaded.path.parent / pattern in found:
            yield Finding(where, f"{pattern!r} is a folder", f"Name its files: {pattern.rstrip('/')}/*.txt.")
        else:
            place = "here" if Path(pattern).is_absolute() else "next to the spec"
            yield Finding(
                where, f"no file matches {pattern!r} {place}", "Fine if the data is only where the run takes place."
            )
