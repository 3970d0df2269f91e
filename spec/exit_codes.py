"""Every exit code of every Trainwright process, in one table (printed by the docs)."""

from __future__ import annotations

import errno
from enum import IntEnum


class Exit(IntEnum):
    """What a process says when it ends."""

    DONE = 0
    DIFFERS = 1  # `verify`: something in the receipt does not hold
    INPUT = 2  # the spec or another input is wrong; nothing was written
    FAULT = 3  # internal error: two lines on screen, the traceback in a file
    PREEMPTED = 75  # stopped on request; training saves first. Launch again to resume (EX_TEMPFAIL)
    DIVERGED = 76  # three steps in a row without a finite gradient, or a loss that the policy gives up on
    CORRUPT = 77  # replicated state differs between ranks, or no checkpoint passes its hashes
    STORAGE = 78  # the disk is full or read-only; the previous checkpoint is intact
    PEER_LOST = 79  # another rank died or hung
    BUDGET = 80  # the budget of energy or carbon is used up; a checkpoint is saved
    DEVICE = 81  # a GPU failed; started again, elsewhere where the scheduler can
    MEMORY = 82  # a device's memory is full: the message says what to change in the spec
    LIMIT = 83  # `report`: a run broke a limit of its spec
    NO_PROGRESS = 93  # three restarts without a new step: do not requeue
    INTERRUPTED = 130  # Ctrl-C outside training


# Ends that were asked for, or that would come again however often the run is started. Anything else may pass, 1 too:
# no run ends with `verify`'s code, but any program that crashes does.
FINAL = frozenset(Exit) - {Exit.DEVICE, Exit.DIFFERS, Exit.PEER_LOST, Exit.PREEMPTED}
DISK_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
)  # what a full, failing or read-only disk answers


def code_of_unusable(error: OSError) -> Exit:
    """The exit code of a file, folder or port that cannot be used: a full disk has another than a wrong place."""
    return Exit.STORAGE if error.errno in DISK_ERRORS else Exit.INPUT
