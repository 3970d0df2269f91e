"""The ranks of one node through DeepSpeed's real launcher: codes, signals, and nothing left when it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from trainwright.runtime.launch.deepspeed_launcher import run_deepspeed_launcher, shell_code
from trainwright.spec.exit_codes import Exit
from trainwright.spec.run_folder import RunFolder

SHELL = "import os, sys; os.execvp('bash', ['bash', '-c', sys.argv[1]])"  # a Python module that becomes a shell


@pytest.fixture
def ranks(run: RunFolder):
    """Start a line of bash as each of two ranks, as node.sh does; it is a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(line: str) -> subprocess.Popen[str]:
        hostfile = run.path / "hostfile"
        hostfile.write_text("here slots=2\n")
        module = [sys.executable, "-m", "trainwright.runtime.launch.node_launcher"]
        (run.path / "shell.py").write_text(SHELL)
        words = [
            *module,
            f"--run={run.path}",
            "--ranks=2",
            f"--hostfile={hostfile}",
            "--port=29999",
            "--",
            "shell",
            line,
        ]
        started.append(subprocess.Popen(words, cwd=run.path, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} never came"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process is there and not a zombie, which here nobody may reap."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_code_of_a_failed_rank_is_ours_and_the_others_leave(ranks, run: RunFolder) -> None:
    """One rank fails for a reason of its own: the other is ended, and the node answers with that reason."""
    process = ranks(f"echo $$ >pid-$RANK; [[ $RANK == 0 ]] || exit {Exit.CORRUPT}; exec sleep 60")
    assert process.wait(60) == Exit.CORRUPT
    assert not runs(int((run.path / "pid-0").read_text()))


def test_a_signal_becomes_the_stop_file(ranks, run: RunFolder) -> None:
    """DeepSpeed's launcher would kill its ranks 30 s after SIGTERM: it never gets one, and they leave by the file."""
    process = ranks("trap 'echo killed >killed' TERM; touch up-$RANK; until [[ -e stop ]]; do sleep 0.1; done")
    for rank in (0, 1):
        wait_for(run.path / f"up-{rank}")
    (run.path / "exit_code").write_text("75\n")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == Exit.PREEMPTED
    assert not (run.path / "killed").exists()


def test_a_killed_launcher_is_no_success_and_leaves_no_rank(ranks, run: RunFolder) -> None:
    """The command `deepspeed` would answer 0 here, with the ranks still running."""
    process = ranks("echo $$ >pid-$RANK; touch up-$RANK; exec sleep 60")
    for rank in (0, 1):
        wait_for(run.path / f"up-{rank}")
    launcher = next(child for child in psutil.Process(process.pid).children() if "launch" in " ".join(child.cmdline()))
    launcher.kill()
    assert process.wait(60) == 128 + signal.SIGKILL
    until = time.monotonic() + 30  # a busy machine takes its time over a SIGKILL
    while alive := [rank for rank in (0, 1) if runs(int((run.path / f"pid-{rank}").read_text()))]:
        assert time.monotonic() < until, f"ranks {alive} outlived their launcher"
        time.sleep(0.02)


def test_signals_are_told_as_a_shell_does() -> None:
    """A rank that was killed comes as 256 - 9 from DeepSpeed's launcher, the launcher itself as -9; our codes stay."""
    assert [shell_code(code) for code in (247, -9, 241)] == [137, 137, 143]
    assert [shell_code(code) for code in sorted(Exit)] == sorted(Exit)


def test_without_a_hostfile_nothing_is_started(run: RunFolder) -> None:
    """DeepSpeed would only warn, and train on this node alone."""
    with pytest.raises(FileNotFoundError):
        run_deepspeed_launcher(["true"], run.path / "hostfile")
