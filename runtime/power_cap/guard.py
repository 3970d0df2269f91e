"""The guard: a small process that restores the power limits when the script that set them dies, in whatever way.

It lives in a session of its own, so that a signal to the job's process group spares it. (A scheduler that kills
every process of a job kills it too: then the next start on this node, or the site's epilog, restores.)
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from ..energy.nvml import Error, GpuHandle
from .record import load

PERIOD = 1.0  # seconds between two looks


def start(run: Path, owner: str) -> None:
    """Start a guard for the limits that `owner` (see `identity`) holds."""
    command = [
        sys.executable,
        "-m",
        __name__.rpartition(".")[0],
        "guard",
        "--run",
        str(run.resolve()),
        "--owner",
        owner,
    ]
    null = subprocess.DEVNULL  # a pipe held open would keep whoever reads the job's output waiting
    subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)


def wait(run: Path, owner: str) -> bool:
    """Wait until `owner` is gone; False when there is nothing left to restore for it.

    NVML stays open meanwhile: where the driver is not persistent it would else forget the limit before training.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    record = load(run)
    with suppress(Error):
        for limit in record.gpus if record else ():
            GpuHandle(limit.uuid, None).renew()
    while record is not None and record.held and record.owner == owner:
        if identity(int(owner.partition("@")[0])) != owner:
            return True
        time.sleep(PERIOD)
        record = load(run)
    return False


def identity(pid: int) -> str:
    """A process by its id and start time, since ids are used again; "" when it has ended."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else f"{pid}@{fields[18]}"
