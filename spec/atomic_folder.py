"""Folders that are replaced in one step: whenever a writer is killed, a folder is the old one or the new one."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .atomic_files import sync_folder

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_NO_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)


def replace_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Make `folder` hold exactly `files`, synced to the disk; scripts can be run, and nobody else can read them.

    Raises OSError; then the old folder is untouched. One writer at a time: what killed ones left is removed.
    """
    for left in folder.parent.glob(f"{_prefix(folder)}*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    try:
        _fill(fresh, files)
        _swap(fresh, folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def read_folder(folder: Path) -> dict[str, str]:
    """The files of a flat folder."""
    return {
        path.name: path.read_bytes().decode(errors="surrogateescape")
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink()
    }


def _prefix(folder: Path) -> str:
    return f".{folder.name}.new-"


def _fill(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in sorted(files.items()):
        mode = 0o700 if name.endswith((".sh", ".sbatch")) else 0o600
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(folder / name, flags, mode), "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            os.fchmod(file.fileno(), mode)
            file.write(text.encode(errors="surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
    sync_folder(folder)


def _swap(fresh: Path, folder: Path) -> None:
    """Put `fresh` in the place of `folder` in one step; the old content then lies under the name of `fresh`."""
    if not folder.exists():
        fresh.rename(folder)
    elif not _exchanged(fresh, folder):
        # File systems without an exchange (NFS) leave a moment with no bundle at all, never a mixed one.
        aside = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
        folder.rename(aside)
        fresh.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))
