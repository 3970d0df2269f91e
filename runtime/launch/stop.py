"""Asks a run to checkpoint and exit, and waits until it has."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from ...spec.run_folder import RunFolder
from .locate import locate, require_running

INTERVAL = 0.5  # seconds between looks


def request_stop(run: RunFolder) -> str:
    """Create the stop file, or signal through the scheduler; what was done, in words.

    Raises InputError when nothing of `run` runs or waits.
    """
    place = require_running(run)
    if place.stop_command:
        subprocess.run(place.stop_command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    else:
        run.ask_to_stop()
    return f"{place.description}: asked to checkpoint and exit"


def wait_until_stopped(run: RunFolder, report: Callable[[float], None]) -> None:
    """Wait until nothing of `run` is left, telling the seconds waited now and then."""
    started = time.monotonic()
    while locate(run) is not None:
        report(time.monotonic() - started)
        time.sleep(INTERVAL)
