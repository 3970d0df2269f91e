"""Stage `write`: the only writer. Whenever it is killed, a bundle folder is the old one or the new one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...spec.atomic_folder import replace_folder
from ...spec.manifest import changed_files, is_bundle
from ...spec.problem import InputError
from ...spec.run_parts import is_run, refuse_part_of_run


def write(files: Mapping[str, str], folder: Path, *, force: bool = False) -> bool:
    """Make `folder` hold exactly `files`; False when it did already.

    Raises InputError when `folder` is something else than a bundle, or (without `force`) was edited by hand.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder.parent):
        require_replaceable(folder, force=force)
        if not stale(files, folder):
            return False
        replace_folder(folder, files)
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


@contextmanager
def _alone_in(parent: Path) -> Generator[None]:
    """Hold the lock of `parent`."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def require_replaceable(folder: Path, *, force: bool = False) -> None:
    """Raise InputError unless `folder` is absent, empty or a bundle that nobody edited; `force`: or edited.

    A run folder is never replaced, and neither is a part of one: its own copy of the bundle, for example.
    """
    refuse_part_of_run(folder, "--out")
    if is_run(folder):
        raise InputError.one("TW634", f"{folder} is a run folder", "Choose another place.", "--out")
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
