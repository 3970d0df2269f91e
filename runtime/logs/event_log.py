"""The writer of the event log (its events: spec/run_folder.py): append-only, one line an event, torn ends healed.

The time of an event is the wall clock at the opening of the log plus what has passed since on the monotonic clock: the
distance of two events is never what somebody set the clock by. A clock that was set is reported.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

from ...spec.run_folder import Event, number, read_events

CLOCK_SET = 60.0  # seconds; less than this is a time service at work


def last_attempt(path: Path) -> int:
    """The highest attempt number in the log; 0 when nothing has been started."""
    if not path.exists():
        return 0
    starts = (number(event, "attempt") or 0 for event in read_events(path) if event["kind"] == "start")
    return int(max(starts, default=0))


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

    def write(self, kind: str, **fields: Any) -> Event:
        """Append one event and return it. Numbers that are not finite become null: JSON has no NaN.

        Raises OSError when the disk does not take all of it.
        """
        if abs(set_by := _clock_ahead() - self._clock_ahead) > CLOCK_SET:
            self._clock_ahead += set_by
            what = f"the clock was set by {set_by:+.0f} s"
            self._append(
                "fault", {"step": None, "rank": None, "what": what, "action": "times continue from the last event"}
            )
        return self._append(kind, {key: _plain(value) for key, value in fields.items()})

    def _append(self, kind: str, fields: Event) -> Event:
        event: Event = {"kind": kind, "time": time.monotonic() + self._epoch, "attempt": self.attempt, **fields}
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        if os.write(self._file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        return event

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


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value
