"""One launch per run folder: an advisory lock that the kernel lets go of with the last process that holds it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager

from ...spec.problem import InputError
from ...spec.run_folder import RunFolder


@contextmanager
def held(run: RunFolder) -> Generator[int]:
    """Hold the lock of `run`; yields its descriptor, for children to inherit.

    Raises InputError naming the owner when another launch holds it.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        remedy = f"wait for it, stop it with: trainwright stop {run.path}, or choose another run folder"
        raise InputError.one("TW705", f"{run.path} is in use by {owner(run)}", remedy, "--run") from None
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        yield descriptor
    finally:
        os.close(descriptor)


def owner(run: RunFolder) -> str:
    """Who last took the lock, in words."""
    try:
        entry = json.loads(run.lock.read_text(encoding="utf-8"))
        job = f" (Slurm job {entry['job']})" if "job" in entry else ""
        return f"process {entry['pid']} on {entry['host']}{job}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that is just starting"


def is_held(run: RunFolder) -> bool:
    """Whether some launch holds the lock now."""
    try:
        descriptor = os.open(run.lock, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
