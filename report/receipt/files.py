"""Digests of what a run folder holds of its account: plan, estimate, manifest and events of every attempt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ...spec.foreign_files import open_foreign
from ...spec.problem import InputError
from .values import File

BLOCK = 2**20
HELD = (
    "plan.json", "estimate.json", "MANIFEST", "events.jsonl", "bundle/*", "attempts/*/*", "tokenizer/*",
    "data/index.json",
)  # fmt: skip


def digest_files(folder: Path) -> tuple[File, ...]:
    """Each file with its SHA-256, by path. Raises InputError (TW867) where one cannot be read."""
    return tuple(_digest(path, folder) for path in sorted(set(_held(folder))))


def _held(folder: Path) -> Iterator[Path]:
    for pattern in HELD:
        for path in folder.glob(pattern):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path


def _digest(path: Path, folder: Path) -> File:
    return digest_file(path, path.relative_to(folder).as_posix())


def digest_file(path: Path, name: str) -> File:
    """A file under a name. Raises InputError (TW867) where it cannot be read."""
    try:
        digest, size = digest_of(path)
    except OSError as error:
        raise unreadable(path, error) from error
    return File(path=name, sha256=digest, bytes=size)


def digest_of(path: Path, limit: int | None = None) -> tuple[str, int]:
    """SHA-256 of a file, or of its first `limit` bytes, and how many those are. Raises OSError."""
    found, size = hashlib.sha256(), 0
    with open_foreign(path) as file:
        while block := file.read(BLOCK if limit is None else min(BLOCK, limit - size)):
            found.update(block)
            size += len(block)
    return found.hexdigest(), size


def digest_text(path: str, text: str) -> File:
    """A file that is written elsewhere, by its content."""
    content = text.encode()
    return File(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def unreadable(path: Path, error: OSError) -> InputError:
    """A file that cannot be read, for the user."""
    return InputError.one("TW867", f"cannot read {path}: {error.strerror}", "Give a file that exists and may be read.")
