"""What only the nodes of one run know: a random file in its folder, by which they know each other.

It keeps strangers and other runs out of a meeting. It encrypts nothing: a network where others can read along must not
carry a run.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from .foreign_files import read_foreign

TOKEN = "TRAINWRIGHT_TOKEN"  # noqa: S105 - the name of a variable
_FILE = "token"
_BYTES = 32


def run_token(run: Path) -> str:
    """The token of a run, made by whichever node asks first. Raises OSError."""
    path = run / _FILE
    with suppress(FileExistsError):
        _make(path)
    try:
        return hashlib.sha256(read_foreign(path, 4096)).hexdigest()
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error), str(path)) from error


def _make(path: Path) -> None:
    """A new token at `path`, whole or not at all. Raises FileExistsError when there is one."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_BYTES).encode())
        os.fsync(descriptor)
        os.link(draft, path)
    finally:
        os.close(descriptor)
        draft.unlink()
