"""The writer of the event log (its events: spec/events.py): append-only, one line an event, torn ends healed.

The time of an event is the wall clock at the opening of the log plus what has passed since on the monotonic clock: the
distance of two events is never what somebody set the clock by. A clock that was set is reported.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import replace
from pathlib import Path

from ...spec.events import Event, FaultEvent, StartEvent, from_line, read_events, to_line

CLOCK_SET = 60.0  # seconds; less than this is a time service at work


def last_attempt(path: Path) -> int:
    """The highest attempt number in the log; 0 when nothing has been started."""
    if not path.exists():
        return 0
    starts = (event for event in read_events(path) if isinstance(event, StartEvent))
    return max((event.attempt or 0 for event in starts), default=0)


class EventLog:
    """Appends events. Every line is one `write` on a file opened for appending, so that lines never interleave."""

    def __init__(self, path: Path, attempt: int) -> None:
        self.attempt = attempt
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._epoch = self._clock_ahead = _clock_ahead()
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        size = found.st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # the last writer was killed inside a line; keep ours whole

    def write(self, event: Event) -> Event:
        """Append one event; return it as a reader finds it. Raises OSError when the disk does not take all of it."""
        if abs(set_by := _clock_ahead() - self._clock_ahead) > CLOCK_SET:
            self._clock_ahead += set_by
            what = f"the clock was set by {set_by:+.0f} s"
            self._append(FaultEvent(what=what, action="times continue from the last event"))
        return self._append(event)

    def _append(self, event: Event) -> Event:
        line = to_line(replace(event, time=time.monotonic() + self._epoch, attempt=self.attempt))
        if os.write(self._file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        return from_line(line) or event

    def sync(self) -> None:
        """Make what was written durable. Called with every checkpoint, so that the log never lags behind one."""
        os.fsync(self._file)

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        os.close(self._file)


def _clock_ahead() -> float:
    """Seconds that the wall clock is ahead of the monotonic one: it changes when the clock is set."""
    return time.time() - time.monotonic()
