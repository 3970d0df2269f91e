"""One launch per run folder: advisory locks that the kernel releases with the last process that holds them.

A launch holds `lock` exclusively; each rank holds `ranks.lock`, shared with its peers. So a rank that outlives its
launcher still keeps the next launch out.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...spec.foreign_files import read_json
from ...spec.foreign_text import on_one_line
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder

LONGEST = 4096  # bytes of a lock file that are read
INHERITED = "TRAINWRIGHT_LOCK"  # the descriptor of a lock that the caller holds for us


@contextmanager
def hold(run: RunFolder) -> Generator[int]:
    """Hold the lock of `run`; yields its descriptor, for children to inherit. Nothing in the folder is overwritten.

    Raises InputError naming the owner when another launch holds it, or ranks of an earlier one are alive; OSError where
    a lock is a link, a folder or somebody else's.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    descriptor = _inherited(run)
    if descriptor is None:
        descriptor = os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if not _lock(descriptor, fcntl.LOCK_EX):
            raise in_use(run, owner(run))
        with suppress(FileNotFoundError):  # what the ranks could not open is refused here, in one sentence
            os.close(os.open(run.ranks_lock, os.O_RDWR | os.O_NOFOLLOW))
        if _is_locked(run.ranks_lock, fcntl.LOCK_EX):
            raise in_use(run, f"ranks that outlived {owner(run)}")
        yield descriptor
    finally:
        os.close(descriptor)


def sign(descriptor: int) -> None:
    """Write into a lock that is held who holds it."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)


def hold_as_rank(run: RunFolder) -> int:
    """Hold the ranks' lock of `run` until this process ends; the descriptor.

    A file system without locks cannot keep a second launch out; the run goes ahead there.
    """
    descriptor = os.open(run.ranks_lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # waits for no more than a look by `is_held`
    return descriptor


def owner(run: RunFolder) -> str:
    """Who last took the lock, in words."""
    try:
        entry = read_json(run.lock, LONGEST)
        job = f" (Slurm job {entry['job']})" if "job" in entry else ""
        return on_one_line(f"process {entry['pid']} on {entry['host']}{job}")
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that is just starting"


def is_held(run: RunFolder) -> bool:
    """Whether some launch, or a rank that outlived its launch, holds the folder now."""
    return _is_locked(run.lock, fcntl.LOCK_SH) or _is_locked(run.ranks_lock, fcntl.LOCK_EX)


def _is_locked(path: Path, kind: int) -> bool:
    """Whether some process holds a lock on the file at `path` that excludes one of this kind."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return not _lock(descriptor, kind)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    """Take the lock; whether it was free."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _inherited(run: RunFolder) -> int | None:
    """The descriptor of this very lock that our caller left open for us."""
    with suppress(KeyError, ValueError, OSError):
        descriptor = int(os.environ.pop(INHERITED))
        if os.path.samestat(os.fstat(descriptor), run.lock.stat()):
            return descriptor
    return None


def in_use(run: RunFolder, who: str) -> InputError:
    """The refusal of a second launch."""
    remedy = f"wait for it, stop it with: trainwright stop {run.path}, or choose another run folder"
    return InputError.one("TW705", f"{run.path} is in use by {who}", remedy, "--run")
