"""The trackers of a run: one process each beside the ranks, which a slow or absent server can neither slow nor stop."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ...spec.plan import read_plan
from ...spec.run_folder import RunFolder
from ..logs.trackers import options_of
from .admit import say
from .lifeline import bound_to_us

GRACE = 60.0  # seconds for what is still to be sent, once the ranks have ended
MODULE = "trainwright.runtime.logs.trackers"


@contextmanager
def trackers(run: RunFolder) -> Generator[None]:
    """Send the curves while the block runs, and then what is left, within `GRACE`. What was not sent is reported."""
    started = {name: _start(run, name, options) for name, options in _wanted(run).items()}
    try:
        yield
    finally:
        for name, process in started.items():
            if why := _failure(process):
                again = f"python -m {MODULE} --run {run.path} --to {name}"
                say(f"not all curves reached {name} ({why}; see {_output(run, name)}); send them with: {again}")


def _wanted(run: RunFolder) -> dict[str, list[str]]:
    """The trackers of the run's bundle, each with its options; none where a run was started without a launch."""
    if not (run.bundle / "plan.json").exists():
        return {}
    logging = read_plan(run.bundle).logging
    return options_of(logging) if logging else {}


def _start(run: RunFolder, name: str, options: list[str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", MODULE, "--run", str(run.path), "--to", name, "--launched", *options]
    with _output(run, name).open("ab") as output:
        return subprocess.Popen(
            words,
            stdin=subprocess.PIPE,  # closed when the ranks have ended
            stdout=output,
            stderr=output,
            preexec_fn=bound_to_us(),  # noqa: PLW1509 - there is one thread here
        )


def _failure(process: subprocess.Popen[bytes]) -> str:
    """Why a tracker that was asked to end did not end well, in words; it is killed when it takes too long."""
    if process.stdin:
        process.stdin.close()
    try:
        code = process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return f"it did not end within {GRACE:g} s"
    return f"it ended with code {code}" if code else ""


def _output(run: RunFolder, name: str) -> Path:
    """What a tracker says, which is not for the terminal of the run."""
    return run.path / f"{name}.log"
