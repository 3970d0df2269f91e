"""Processes that end with whoever started them, so that no rank trains on without a launch that watches it.

Linux ends a child with its parent when the child asks for it (prctl(2), PR_SET_PDEATHSIG); what was asked for survives
exec, and does not pass to the child's own children, so each process of a launch asks for itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path

SUPERVISOR = "TRAINWRIGHT_SUPERVISOR"  # the process without which nothing of a launch may run
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends. With `parent` gone already, end at once."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


def bound_to_us() -> Callable[[], None]:
    """What a child of this process runs before its program (`preexec_fn`), so that it ends with us."""
    parent = os.getpid()
    return lambda: end_with_parent(parent)


def end_with_supervisor() -> None:
    """End with the parent, and at once when the supervisor of this launch, if there is one, is gone already."""
    end_with_parent()
    supervisor = os.environ.get(SUPERVISOR)
    if supervisor and not _is_alive(int(supervisor)):
        os._exit(128 + signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    """Whether a process is there and not a zombie, whose parent has not yet looked."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return status.rpartition(b") ")[2][:1] not in (b"Z", b"X")
