"""The MANIFEST of a bundle: what the compiler wrote, so that the launcher notices a hand-edited file.

Its lines are those of `sha256sum`, so `sha256sum -c MANIFEST` works too; lines that begin with `#` are comments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from .foreign_files import read_foreign

MANIFEST = "MANIFEST"
HEADING = "# Trainwright"
_LINE = re.compile(r"^([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]*)$")


def manifest(files: Mapping[str, str], about: str) -> str:
    """The MANIFEST of `files` (name to text); `about` is one line of versions."""
    lines = [f"{_sha256(text.encode())}  {name}" for name, text in sorted(files.items())]
    return "\n".join([f"{HEADING} {about}", *lines, ""])


def is_bundle(folder: Path) -> bool:
    """Whether `folder` was written by the compiler."""
    try:
        return read_foreign(folder / MANIFEST).startswith(HEADING.encode())
    except (OSError, ValueError):
        return False


def changed_files(folder: Path) -> tuple[str, ...]:
    """What differs from the MANIFEST, one finding a file. Raises OSError or ValueError when it cannot be read."""
    lines = read_foreign(folder / MANIFEST).decode(errors="replace").splitlines()
    entries = [_LINE.match(line) for line in lines if not line.startswith("#")]
    listed = {match.group(2): match.group(1) for match in entries if match}
    found = ["MANIFEST was changed"] if None in entries or not listed else []
    for name, digest in listed.items():
        file = folder / name
        if file.is_symlink() or not file.is_file():
            found.append(f"{name} is missing")
        elif _sha256(file.read_bytes()) != digest:
            found.append(f"{name} was changed")
    extra = {entry.name for entry in folder.iterdir()} - {MANIFEST, *listed}
    return tuple(found + [f"{name} was added" for name in sorted(extra)])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
