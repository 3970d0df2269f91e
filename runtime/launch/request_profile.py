"""Asks a run under way for a profile of its next steps, and waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...spec.atomic_files import write_atomically
from ...spec.events import ProfileEvent, from_line
from ...spec.plan import read_plan
from ...spec.problem import InputError
from ...spec.profile_request import ProfileRequest
from ...spec.run_folder import RunFolder
from .locate import locate, require_running

INTERVAL = 0.5  # seconds between looks


def request_profile(run: RunFolder, request: ProfileRequest) -> str:
    """Leave the request in the run folder; what was done, in words.

    Raises InputError when `run` is not running, or has no such rank.
    """
    place = require_running(run)
    ranks = read_plan(run.path).layout.gpus
    if beyond := [rank for rank in request.ranks if rank >= ranks]:
        message = f"{run.path} has ranks 0 to {ranks - 1}, and no rank {beyond[0]}"
        raise InputError.one("TW704", message, "Name ranks of the run.", "--rank")
    run.profile_request.parent.mkdir(exist_ok=True)
    write_atomically(run.profile_request, request.model_dump_json().encode())
    return f"{place.description}: asked for a profile of the next {request.steps} steps"


def wait_for_profile(run: RunFolder, offset: int, tell: Callable[[float], None]) -> ProfileEvent | None:
    """The first profile in the log behind `offset` bytes; None when the run ends before it."""
    started = time.monotonic()
    with run.events.open("rb") as log:
        log.seek(offset)
        while True:
            alive = locate(run) is not None  # asked first: what a run that has just ended wrote is still read
            while (line := log.readline()).endswith(b"\n"):
                event = from_line(line)
                if isinstance(event, ProfileEvent):
                    return event
            log.seek(-len(line), 1)  # still being written
            if not alive:
                return None
            tell(time.monotonic() - started)
            time.sleep(INTERVAL)
