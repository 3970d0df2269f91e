"""The store of datasets, which the runs of a project or a site share: each is prepared once.

    DIGEST/index.json *.bin tokenizer.*   a dataset; its digest is that of corpus, tokenizer and settings
    .DIGEST.new/                          one that is being prepared, unit by unit
    locks/DIGEST                          held while it is prepared; in it the run folders that refer to it
    locks/DIGEST.read                     held by every process that reads it

A run refers to a dataset by the link `data` in its folder. A dataset appears under its name in one step, when it is
complete, and is removed only when no run refers to it and nobody reads it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...spec.atomic_files import sync_folder
from ...spec.foreign_files import read_foreign
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder

STORE = ".datasets"  # beside the runs; hidden, so that neither `runs/*` nor the glob of a corpus matches it
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST_NOTE = 2**24


@dataclass(frozen=True, slots=True)
class DatasetStore:
    """A folder of datasets, by digest."""

    path: Path

    def folder(self, digest: str) -> Path:
        """Where a dataset is, or would be."""
        return self.path / digest

    def draft(self, digest: str) -> Path:
        """Where its units are while it is prepared."""
        return self.path / f".{digest}.new"

    @property
    def digests(self) -> list[str]:
        """The datasets that are there, sorted."""
        return [path.name for path in sorted(self.path.glob("*")) if _DIGEST.fullmatch(path.name)]

    @property
    def drafts(self) -> list[str]:
        """The digests of those that are being prepared, or were when somebody stopped."""
        names = (path.name[1:-4] for path in sorted(self.path.glob(".*.new")))
        return [name for name in names if _DIGEST.fullmatch(name)]

    def find(self, start: str) -> str:
        """The digest that begins with `start`. Raises InputError when there is none, or more than one."""
        found = [digest for digest in self.digests if start and digest.startswith(start)]
        if len(found) != 1:
            what = "no dataset" if not found else f"{len(found)} datasets"
            message = f"{what} in {self.path} with a digest that begins with {start!r}"
            raise InputError.one("TW870", message, "`trainwright data list` shows them.", "DATASET")
        return found[0]

    @contextmanager
    def preparing(self, digest: str, wait: Callable[[], None], *, together: bool = False) -> Generator[None]:
        """Hold a dataset alone, or `together` with others that prepare its units; `wait` is called before waiting."""
        with _locked(self._lock(digest), fcntl.LOCK_SH if together else fcntl.LOCK_EX, wait):
            yield

    def publish(self, digest: str) -> None:
        """Give a complete draft its name. Its lock must be held; damaged shards under that name go."""
        folder = self.folder(digest)
        shutil.rmtree(folder, ignore_errors=True)
        self.draft(digest).rename(folder)
        sync_folder(self.path)

    def link(self, run: RunFolder, digest: str) -> None:
        """Let a run refer to a dataset. Its lock must be held."""
        folder, link = self.folder(digest), run.data.with_name("data.new")
        inside = self.path.parent == run.path.resolve().parent  # then both may move together
        self._note(run, digest)
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(folder, run.path.resolve()) if inside else folder)
        if run.data.is_dir() and not run.data.is_symlink():
            shutil.rmtree(run.data)
        link.replace(run.data)
        sync_folder(run.path)

    def refresh(self, run: RunFolder) -> None:
        """Note a run that refers to a dataset already, in case that its folder has moved."""
        target = run.data.resolve()
        if target.parent == self.path and _DIGEST.fullmatch(target.name):
            with suppress(OSError):  # a store of a site may be read-only
                self._note(run, target.name)

    def _note(self, run: RunFolder, digest: str) -> None:
        name, notes = os.fsencode(run.path.resolve()) + b"\n", self._lock(digest)
        notes.parent.mkdir(exist_ok=True)
        with notes.open("ab+") as file:
            file.seek(0)
            if name not in file.readlines():
                file.write(name)

    def users(self, digest: str) -> list[Path]:
        """The run folders that refer to a dataset, sorted."""
        noted = {Path(os.fsdecode(line)) for line in _noted(self._lock(digest))}
        beside = {link.parent for link in self.path.parent.glob("*/data") if link.is_symlink()}
        folder = self.folder(digest).resolve()
        return sorted(run for run in noted | beside if (run / "data").resolve() == folder)

    def remove(self, digest: str) -> str | None:
        """Remove a dataset, and its draft; or why it must stay."""
        try:
            with self._unused(digest) as users:
                if users:
                    return _used_by(users)
                gone = self.path / f".{digest}.gone"
                with suppress(FileNotFoundError):
                    self.folder(digest).rename(gone)
                for rest in (gone, self.draft(digest)):
                    shutil.rmtree(rest, ignore_errors=True)
        except BlockingIOError:
            return "being prepared or read"
        return None

    def why_kept(self, digest: str) -> str | None:
        """Why `remove` would keep a dataset; None when it would not."""
        try:
            with self._unused(digest) as users:
                return _used_by(users) if users else None
        except BlockingIOError:
            return "being prepared or read"

    @contextmanager
    def _unused(self, digest: str) -> Generator[list[Path]]:
        """Hold a dataset that nobody prepares or reads; the runs that refer to it. Raises BlockingIOError."""
        with _free(self._lock(digest)), _free(self._lock(digest, ".read")):
            yield self.users(digest)

    def _lock(self, digest: str, suffix: str = "") -> Path:
        return self.path / "locks" / f"{digest}{suffix}"


def _used_by(users: list[Path]) -> str:
    return f"used by {', '.join(map(str, users))}"


def hold_for_reading(folder: Path) -> None:
    """Keep a dataset from being removed until this process ends; one in a run folder of its own needs nothing."""
    whole = folder.resolve()
    lock = whole.parent / "locks" / f"{whole.name}.read"
    if not _DIGEST.fullmatch(whole.name):
        return
    with suppress(OSError):  # a store of a site may be read-only, or without locks: the run's link protects it there
        lock.parent.mkdir(exist_ok=True)
        lock.touch()
        fcntl.flock(os.open(lock, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_SH)


def _noted(path: Path) -> Iterator[bytes]:
    with suppress(OSError, ValueError):
        yield from read_foreign(path, _LONGEST_NOTE).splitlines()


@contextmanager
def _free(path: Path) -> Generator[None]:
    """Hold a lock that nobody holds. Raises BlockingIOError."""
    with _locked(path, fcntl.LOCK_EX, None):
        yield


@contextmanager
def _locked(path: Path, kind: int, wait: Callable[[], None] | None) -> Generator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait is None:
                raise
            wait()
            fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
