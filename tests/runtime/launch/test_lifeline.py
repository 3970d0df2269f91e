"""Processes that end with whoever started them."""

from __future__ import annotations

import os
import subprocess
import sys

from trainwright.runtime.launch.lifeline import SUPERVISOR

PROGRAM = "from trainwright.runtime.launch.lifeline import end_with_supervisor; end_with_supervisor()"


def test_nothing_runs_under_a_supervisor_that_has_ended() -> None:
    """Also under one that its own parent has not yet waited for."""
    with subprocess.Popen(["true"]) as supervisor:
        os.waitid(os.P_PID, supervisor.pid, os.WEXITED | os.WNOWAIT)
        environment = {**os.environ, SUPERVISOR: str(supervisor.pid)}
        started = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=False)
    assert started.returncode == 128 + 9
