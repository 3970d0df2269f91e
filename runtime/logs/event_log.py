"""The writer of the event log (its events: spec/run_folder.py): append-only, one line an event, torn ends healed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ...spec.run_folder import Event, read_events


def last_attempt(path: Path) -> int:
    """The highest attempt number in the log; 0 when nothing has been started."""
    if not path.exists():
        return 0
    return max((event.get("attempt", 0) for event in read_events(path) if event["kind"] == "start"), default=0)


class EventLog:
    """Appends events. Every line is one `write` on a file opened for appending, so that lines never interleave."""

    def __init__(self, path: Path, attempt: int) -> None:
        self.attempt = attempt
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # the last writer was killed inside a line; keep ours whole

    def write(self, kind: str, **fields: Any) -> Event:
        """Append one event and return it. Numbers that are not finite become null: JSON has no NaN."""
        fields = {key: _plain(value) for key, value in fields.items()}
        event: Event = {"kind": kind, "time": time.time(), "attempt": self.attempt, **fields}
        os.write(self._file, json.dumps(event, separators=(",", ":")).encode() + b"\n")
        return event

    def sync(self) -> None:
        """Make what was written durable. Called with every checkpoint, so that the log never lags behind one."""
        os.fsync(self._file)

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        os.close(self._file)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value
