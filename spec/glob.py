"""The files that a source of the corpus names: one reading of its glob, for the check of a spec and for preparation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def matches(pattern: str, root: Path) -> Iterator[Path]:
    """What matches `pattern` below `root`, or anywhere for an absolute one; folders too, and `**` is every depth.

    Raises ValueError for what is no pattern, such as `**.txt`, and OSError for a name that no file can have.
    """
    wanted = Path(pattern)
    base, below = root / wanted.anchor, wanted.relative_to(wanted.anchor)
    if below.parts:
        yield from base.glob(str(below))
    else:  # `.` and `/`, which glob does not take
        yield base
