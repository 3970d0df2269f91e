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
from pathlib import Path

from ...spec.glob import FOLDER, described
from ..load import Loaded
from ..plan.corpus_tokens import STDLIB, found_here
from .finding import Finding

CODE = "TW503"
LEFT_OUT = "Write the dot of a hidden name, name files instead of folders, or fix links that lead to nothing."


def check(loaded: Loaded) -> Iterator[Finding]:
    """Patterns that match no file in the folder of the spec."""
    for source, key in zip(loaded.spec.data.sources, loaded.spec.data.keys, strict=False):
        pattern, where = source.path, f"{key}.path"
        if pattern == STDLIB:
            continue
        found = found_here(pattern, loaded.path.parent)
        if found.left_out and (found.files or found.left_out[0].reason != FOLDER):
            yield Finding(where, f"{pattern!r} leaves out {described(found.left_out)}", LEFT_OUT)
        if found.files or not found.complete:
            continue
        if any(entry.reason == FOLDER for entry in found.left_out):
            yield Finding(where, f"{pattern!r} is a folder", f"Name its files: {pattern.rstrip('/')}/*.txt.")
        elif not found.left_out:
            place = "here" if Path(pattern).is_absolute() else "next to the spec"
            yield Finding(
                where, f"no file matches {pattern!r} {place}", "Fine if the data is only where the run takes place."
            )
