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
STARTUP = 600.0  # seconds until the first beat: a thousand ranks may load their libraries from one shared file system


def start_heartbeat() -> None:
    """Beat until this process ends; nothing where no launcher listens."""
    descriptor = os.environ.pop(PIPE, "")
    if descriptor:
        os.set_inheritable(int(descriptor), False)
        os.set_blocking(int(descriptor), False)
        _beat_once(int(descriptor))  # not by the thread: whoever is stopped after this call is missed
        threading.Thread(target=_beat, args=(int(descriptor),), name="heartbeat", daemon=True).start()


def _beat(descriptor: int) -> None:
    pause = threading.Event()
    while not pause.wait(BEAT):
        _beat_once(descriptor)


def _beat_once(descriptor: int) -> None:
    with suppress(BlockingIOError, BrokenPipeError):  # without a launcher this process is about to end
        os.write(descriptor, b".")
