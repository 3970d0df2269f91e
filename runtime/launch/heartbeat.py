"""A rank's sign of life to the launcher of its node: a byte every two seconds through a pipe.

It comes from a thread of its own, so a process that is stopped, or that holds the interpreter's lock for ever, falls
silent; it needs no network and no peer, so a run of one rank is watched like any other.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

PIPE = "TRAINWRIGHT_HEARTBEAT"  # the descriptor to write to
BEAT = 2.0  # seconds between heartbeats
PATIENCE = 30.0  # seconds of silence, after the first beat, until a rank counts as hung


def start_heartbeat() -> None:
    """Beat until this process ends; nothing where no launcher listens."""
    descriptor = os.environ.pop(PIPE, "")
    if descriptor:
        os.set_inheritable(int(descriptor), False)
        threading.Thread(target=_beat, args=(int(descriptor),), name="heartbeat", daemon=True).start()


def _beat(descriptor: int) -> None:
    pause = threading.Event()
    os.set_blocking(descriptor, False)
    with suppress(BrokenPipeError):  # without a launcher this process is about to end
        while True:
            with suppress(BlockingIOError):
                os.write(descriptor, b".")
            pause.wait(BEAT)
