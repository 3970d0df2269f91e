"""Stage `write`: the only writer. Whenever it is killed, a bundle folder is the old one or the new one."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...spec.manifest import MANIFEST, changed_files, is_bundle
from ...spec.problem import InputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_NO_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)


def write(files: Mapping[str, str], folder: Path, *, force: bool = False) -> bool:
    """Make `folder` hold exactly `files`; False when it did already.

    Raises InputError when `folder` is something else than a bundle, or (without `force`) was edited by hand.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder.parent):
        _refuse_others(folder, force=force)
        if not stale(files, folder):
            return False
        fresh = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
        try:
            _fill(fresh, files)
            _swap(fresh, folder)
            _sync(folder.parent)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return True


def stale(files: Mapping[str, str], folder: Path) -> list[str]:
    """Names of files that differ between `files` and `folder`."""
    if not folder.is_dir():
        return sorted(files)
    present = {entry.name for entry in folder.iterdir()}
    return sorted(name for name in {*files, *present} if files.get(name) != _text(folder / name))


def _text(path: Path) -> str | None:
    if path.is_symlink() or not path.is_file():
        return None
    return path.read_bytes().decode(errors="surrogateescape")


def _prefix(folder: Path) -> str:
    return f".{folder.name}.new-"


@contextmanager
def _alone_in(parent: Path) -> Generator[None]:
    """Hold the lock of `parent`, and clear what a killed compilation left there."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _refuse_others(folder: Path, *, force: bool) -> None:
    for left in folder.parent.glob(f"{_prefix(folder)}*"):
        shutil.rmtree(left, ignore_errors=True)
    if folder.is_symlink():
        raise InputError.one("TW631", f"{folder} is a symbolic link", "name the folder itself", "--out")
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not is_bundle(folder):
        remedy = "choose another folder; Trainwright replaces only what it wrote"
        raise InputError.one("TW632", f"{folder} is not a bundle", remedy, "--out")
    edited = changed_files(folder)
    if edited and not force:
        remedy = "keep your change in the spec; --force replaces the folder"
        raise InputError.one("TW633", f"{folder} was edited by hand: {', '.join(edited)}", remedy, "--out")


def _fill(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in sorted(files.items(), key=lambda item: (item[0] == MANIFEST, item[0])):
        mode = 0o700 if name.endswith((".sh", ".sbatch")) else 0o600
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(folder / name, flags, mode), "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            os.fchmod(file.fileno(), mode)
            file.write(text.encode(errors="surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
    _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
