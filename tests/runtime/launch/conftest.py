"""A run folder, and the supervisor as a process."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from trainwright.spec.run_folder import RunFolder


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """An empty run folder."""
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


@pytest.fixture
def supervise(run):
    """Start the supervisor over a bash script; it is a process of its own, as in a launch."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str) -> subprocess.Popen[str]:
        module = [sys.executable, "-m", "trainwright.runtime.launch.supervise", "--run", str(run.path)]
        command = [*module, "--", "bash", "-c", script]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=run.path, **pipes))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
        process.communicate()
