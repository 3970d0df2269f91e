"""Requests to checkpoint and exit: SIGTERM, SIGINT, SIGUSR1, and the stop file of the run folder.

A handler only takes note, so it may be called any number of times and at any moment, also inside a save; the loop
asks between steps. Ranks agree on the answer in the step's own all-reduce.
"""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class StopRequest:
    """What this process knows about a request to stop."""

    def __init__(self, stop_file: Path) -> None:
        self._file = stop_file
        self._signalled = False
        for number in SIGNALS:
            signal.signal(number, self._note)

    @property
    def signalled(self) -> bool:
        """Whether a signal has arrived."""
        return self._signalled

    def file_exists(self) -> bool:
        """Whether somebody created the stop file. Ask on one rank only: a shared file system pays for each look."""
        return self._file.exists()

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._signalled = True
