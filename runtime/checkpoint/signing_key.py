"""The key that checkpoints are signed with, where the spec names one: a hash says that a file is whole, a key whose.

The spec holds the path, never the key. Who can read the key file can sign, so it should not lie in the run folder.
"""

from __future__ import annotations

from pathlib import Path

from ...spec.foreign_files import read_foreign
from ...spec.problem import InputError
from ...spec.sections import Checkpointing

SHORTEST = 16  # bytes; what a person would type is guessed sooner than the key of a signature should be
LONGEST = 4096


def signing_key(settings: Checkpointing) -> bytes:
    """The key, or nothing where none is asked for. Raises InputError when the file cannot be used."""
    if settings.key_file is None:
        return b""
    try:
        key = read_foreign(Path(settings.key_file), LONGEST).strip()
    except (OSError, ValueError) as error:
        raise _unusable(settings.key_file, str(error)) from error
    if len(key) < SHORTEST:
        raise _unusable(settings.key_file, f"it holds {len(key)} bytes, fewer than {SHORTEST}")
    return key


def _unusable(path: str, why: str) -> InputError:
    remedy = "Make one with: (umask 077; openssl rand -hex 32 > FILE), where every node can read it."
    return InputError.one("TW713", f"cannot use the key file {path}: {why}", remedy, "training.checkpoint.key_file")
