"""The ranks of a node as processes: they end with their launcher, are missed when they hang, and listen on loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from trainwright.runtime.launch import heartbeat, local_ranks
from trainwright.runtime.launch.local_ranks import LocalRanks, environments
from trainwright.spec.exit_codes import Exit
from trainwright.spec.run_folder import RunFolder
from trainwright.spec.run_token import run_token

BEGIN = """
import os, pathlib, signal, socket, sys, time
from trainwright.runtime.launch.heartbeat import start_heartbeat
start_heartbeat()
rank = os.environ["RANK"]
pathlib.Path(f"pid-{rank}").write_text(str(os.getpid()))
"""
SLEEP = "time.sleep(60)"


@pytest.fixture
def ranks(run: RunFolder):
    """A function: start a program as each of some ranks, under the supervisor or the launcher alone."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, count: int = 2, *, supervised: bool = False) -> subprocess.Popen[str]:
        (run.path / "program.py").write_text(BEGIN + program)
        launcher = [sys.executable, "-m", "trainwright.runtime.launch.node_launcher", f"--run={run.path}"]
        words = [*launcher, f"--ranks={count}", "--", "program"]
        if supervised:
            supervisor = [sys.executable, "-m", "trainwright.runtime.launch.supervise", f"--run={run.path}", "--"]
            words = [*supervisor, "bash", "-c", 'trap : TERM; "$0" "$@"', *words]  # as node.sh with a power cap
        started.append(subprocess.Popen(words, cwd=run.path, stderr=subprocess.PIPE, text=True))
        for rank in range(count):
            wait_for(run.path / f"pid-{rank}")
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def watched(run: RunFolder, monkeypatch):
    """A function: what became of some ranks that run a program and may be silent for 5 s: exit code and faults."""

    def outcome(program: str, count: int) -> tuple[int, list[str]]:
        (run.path / "program.py").write_text(BEGIN + program)
        monkeypatch.chdir(run.path)
        faults: list[str] = []
        here = LocalRanks(lambda _, what: faults.append(what), patience=5.0, grace=2.0)
        here.start(["program"], environments({}, 0, count), None)
        code = here.wait()
        assert_no_rank_left(run, count)
        return code, faults

    return outcome


def wait_for(path: Path) -> None:
    """Wait until a file has content."""
    until = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < until, f"{path.name} never came"
        time.sleep(0.02)


def pid(run: RunFolder, rank: int) -> int:
    """The process of a rank."""
    return int((run.path / f"pid-{rank}").read_text())


def alive(process: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def assert_no_rank_left(run: RunFolder, count: int = 2) -> None:
    """Every rank is gone in a moment."""
    until = time.monotonic() + 20
    while left := [rank for rank in range(count) if alive(pid(run, rank))]:
        assert time.monotonic() < until, f"ranks {left} are alive"
        time.sleep(0.02)


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes between a supervisor and its ranks: supervisor, shell, launcher."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [psutil.Process(process.pid), *(child for child in children if "program" in " ".join(child.cmdline()))]


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 2])
def test_whoever_of_its_parents_is_killed_no_rank_is_left(ranks, run, level, count) -> None:
    """Kill -9 of the supervisor, the node's script or the launcher, each: all ranks are gone at once."""
    process = ranks(SLEEP, count, supervised=True)
    parents = [one for one in family(process) if one.pid not in {pid(run, rank) for rank in range(count)}]
    run.stop.touch()  # so that the supervisor does not start the run again
    parents[level].kill()
    assert_no_rank_left(run, count)


def test_two_interrupts_leave_no_rank(ranks, run) -> None:
    """Ctrl-C twice: ranks that do not save are ended with everything else, and the folder is free."""
    process = ranks("import signal\nfor n in (2, 15): signal.signal(n, lambda *_: None)\n" + SLEEP, supervised=True)
    process.send_signal(signal.SIGINT)
    wait_until(run.stop.exists)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == Exit.PREEMPTED
    assert_no_rank_left(run)


def wait_until(condition) -> None:
    """Wait for a condition."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("count", [1, 2])
def test_a_rank_that_hangs_is_missed(watched, count) -> None:
    """SIGSTOP of a rank, also of the only one: it is named, ended, and the code lets the run start again."""
    faults = watched("if rank == '0': os.kill(os.getpid(), signal.SIGSTOP)\n" + SLEEP, count)
    assert faults == (Exit.PEER_LOST, ["rank 0 has not answered for 5 s"])


def test_a_rank_that_never_starts_is_missed(run, monkeypatch) -> None:
    """A rank that hangs while its libraries load has not beaten once: it is named and ended all the same."""
    monkeypatch.setattr(local_ranks, "STARTUP", 0.5)
    (run.path / "program.py").write_text(f"import time; {SLEEP}")
    monkeypatch.chdir(run.path)
    said: list[str] = []
    ranks = LocalRanks(lambda _, what: said.append(what))
    ranks.start(["program"], environments({"WORLD_SIZE": 1}, 0, 1), None)
    assert ranks.wait() == Exit.PEER_LOST
    assert said == ["rank 0 has not answered for 0 s"]


def test_a_rank_that_is_stopped_at_its_first_line_has_beaten() -> None:
    """The first heartbeat is out when `start_heartbeat` returns: there is no moment at which a hang is not missed."""
    reading, writing = os.pipe()
    program = "from trainwright.runtime.launch import heartbeat as h; h.threading = None; h.start_heartbeat()"
    words = [sys.executable, "-c", program]
    environment = os.environ | {heartbeat.PIPE: str(writing)}
    subprocess.run(words, env=environment, pass_fds=[writing], stderr=subprocess.DEVNULL, check=False, timeout=60)
    os.close(writing)
    assert os.read(reading, 9) == b"."
    os.close(reading)


def test_a_rank_that_is_slow_to_leave_is_no_fault(watched) -> None:
    """A rank has ended well and the other falls silent on its way out: it is ended, and the run has no fault."""
    assert watched("if rank == '0': os.kill(os.getpid(), signal.SIGSTOP)", 2) == (Exit.DONE, [])


def test_the_first_failure_counts_and_the_others_may_save(ranks, run) -> None:
    """A rank that leaves with a cause of its own; the other, which notices a second later, is not killed before."""
    late = "time.sleep(int(rank)); pathlib.Path(f'left-{rank}').touch(); "
    program = f"{late} sys.exit(79 if rank == '1' else {Exit.STORAGE})"
    assert ranks(program).wait(60) == Exit.STORAGE
    assert (run.path / "left-1").exists()


def test_what_a_run_listens_on(ranks, run) -> None:
    """The ranks of this machine meet on loopback: no socket of theirs is open to the network."""
    program = """
from trainwright.runtime.parallel.world import _meeting_place
os.environ.setdefault("MASTER_PORT", "0")
store = _meeting_place(int(rank), 2)
store.add("here", 1)
while store.add("here", 0) < 2: time.sleep(0.05)
pathlib.Path(f"met-{rank}").write_text("met")
time.sleep(60)
"""
    process = ranks(program)
    for rank in range(2):
        wait_for(run.path / f"met-{rank}")
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    places = {c.laddr.ip for one in family for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert places == {"127.0.0.1"}


def test_a_token_is_a_runs_own(run, tmp_path) -> None:
    """The same for whoever asks in this run, another in another one, and no link is followed."""
    (tmp_path / "other").mkdir()
    assert run_token(run.path) == run_token(run.path) != run_token(tmp_path / "other")
    assert (run.path / "token").stat().st_mode & 0o077 == 0
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "token").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic"):
        run_token(tmp_path / "linked")
