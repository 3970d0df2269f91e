"""Reads an event log while it grows."""

from __future__ import annotations

from pathlib import Path

from ..spec.run import Event, parse_event


class Follower:
    """Each call returns the events since the last one. A line that is not whole yet is left for the next call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def __call__(self) -> list[Event]:
        """New events, in order; none while there is no log. Raises OSError when the log cannot be read."""
        try:
            with self._path.open("rb") as log:
                log.seek(self._offset)
                content = log.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        parsed = (parse_event(line) for line in whole.splitlines())
        return [event for event in parsed if event is not None]
