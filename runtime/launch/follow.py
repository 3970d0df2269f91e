"""Follows a submitted run: where it waits or runs, and what its logs say, until it has left."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ...spec.exit_codes import Exit
from ...spec.run_folder import RunFolder
from .exit_status import recorded_exit_code
from .locate import locate

INTERVAL = 1.0  # seconds between looks


def follow(run: RunFolder, say: Callable[[str], object]) -> int:
    """Print new lines of the logs and changes of place; the exit code of the run."""
    logs, before = LogFollower(run.path / "logs"), ""
    while place := locate(run):
        if place.description != before:
            say(f"{place.description}\n")
            before = place.description
        say(logs.new_text())
        time.sleep(INTERVAL)
    say(logs.new_text())
    code = recorded_exit_code(run.path)
    return Exit.PEER_LOST if code is None else code


class LogFollower:
    """The growing logs of a folder; what was there at the start belongs to earlier launches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = {path: path.stat().st_size for path in folder.glob("*.log")}

    def new_text(self) -> str:
        """What was appended since the last call."""
        return "".join(self._more(path) for path in sorted(self._folder.glob("*.log")))

    def _more(self, path: Path) -> str:
        with path.open("rb") as log:
            log.seek(self._read.get(path, 0))
            text = log.read()
        self._read[path] = self._read.get(path, 0) + len(text)
        return text.decode(errors="replace")
