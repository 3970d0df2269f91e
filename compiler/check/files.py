"""Whether the training text can be found from here.

A spec is often checked on another machine than the one that trains, so it is a note. Preparing the data refuses a
pattern that matches nothing.

Bad:

    data: {train: copus/*.txt}

Good:

    data: {train: corpus/*.txt}
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from ..load import Loaded
from .finding import Finding

CODE = "TW503"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Patterns that match no file in the folder of the spec."""
    for index, source in enumerate(loaded.spec.data.train):
        pattern = source.path
        if pattern.startswith("python:") or "**" in pattern or Path(pattern).is_absolute():
            continue
        # Path.glob raises on patterns such as `.`, which a user may well write.
        if next(glob.iglob(pattern, root_dir=loaded.path.parent), None) is None:  # noqa: PTH207
            message = f"no file matches {pattern!r} next to the spec"
            yield Finding(f"data.train.{index}.path", message, "Fine if the data is only where the run takes place.")
