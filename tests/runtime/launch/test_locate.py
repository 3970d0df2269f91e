"""Where a run is, and how it is asked to leave: a process, Slurm's queue, a Kubernetes job (stubs), or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainwright.runtime.launch import stop
from trainwright.runtime.launch.follow import LogFollower, follow
from trainwright.runtime.launch.locate import locate
from trainwright.runtime.launch.lock import hold, sign
from trainwright.spec.problem import InputError


@pytest.fixture
def client(tmp_path: Path, monkeypatch):
    """Put a command of that name on the path that notes its arguments and runs a line of shell."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def make(name: str, line: str) -> Path:
        notes = tmp_path / f"{name}.notes"
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$@" >>"{notes}"\n{line}\n')
        (tmp_path / name).chmod(0o755)
        return notes

    return make


def test_a_run_that_is_nowhere(run) -> None:
    """Nothing holds the folder: there is nothing to stop, and no stop file is left for the next launch."""
    assert locate(run) is None
    with pytest.raises(InputError) as caught:
        stop.request_stop(run)
    assert (caught.value.problems[0].code, run.stop.exists()) == ("TW704", False)


def test_a_run_of_this_machine_is_stopped_by_its_file(run) -> None:
    """The process that holds the lock is named; the loop finds the stop file."""
    with hold(run) as lock:
        sign(lock)
        assert stop.request_stop(run) == f"process {os.getpid()} on {os.uname().nodename}: asked to checkpoint and exit"
    assert run.stop.exists()


def test_a_waiting_slurm_job_is_taken_out_of_the_queue(run, client) -> None:
    """Nobody looks for a stop file of a job that has not begun; those that prepare for it go, too."""
    (run.path / "slurm-job").write_text("17\n14 15 16\n")
    client("squeue", "echo PENDING Resources")
    cancelled = client("scancel", ":")
    assert stop.request_stop(run) == "Slurm job 17: pending (resources): asked to checkpoint and exit"
    assert (cancelled.read_text(), run.stop.exists()) == ("--quiet 17 14 15 16\n", False)


def test_a_running_slurm_job_saves(run, client) -> None:
    """It finds the stop file, which its batch script does not take for a warning to come back."""
    (run.path / "slurm-job").write_text("17\n")
    client("squeue", "echo RUNNING None")
    stop.request_stop(run)
    assert run.stop.exists()


def test_a_job_that_slurm_forgot_is_over(run, client) -> None:
    """The squeue command fails for a job that is long gone."""
    (run.path / "slurm-job").write_text("17\n")
    client("squeue", "exit 1")
    assert locate(run) is None


@pytest.mark.parametrize("kind", ["job.batch", "jobset", "trainjob"])
def test_a_kubernetes_run_is_suspended(run, client, kind: str) -> None:
    """Its pods, found by their label whatever made them, save within their grace time; it can go on later."""
    (run.path / "kubernetes-job").write_text(f"tiny\ntraining\n{kind}\n")
    called = client("kubectl", "[ $3 != get ] || printf 'pod/tiny-0\npod/tiny-1\n'")
    assert stop.request_stop(run) == f"Kubernetes {kind} training/tiny: 2 pods: asked to checkpoint and exit"
    asked, told = called.read_text().splitlines()
    assert "get pods --selector=trainwright/run=tiny " in asked
    assert told == f'--namespace training patch {kind} tiny --type=merge --patch={{"spec": {{"suspend": true}}}}'


def test_a_kubernetes_run_without_pods_is_over(run, client) -> None:
    """Objects that have ended keep their names; without a pod that lives nothing runs."""
    (run.path / "kubernetes-job").write_text("tiny\ntraining\njobset\n")
    client("kubectl", "exit 0")
    assert locate(run) is None


def test_following_tells_new_lines_only(run, client, monkeypatch) -> None:
    """Old logs stay quiet, new lines come once and whole, and the code of the run is the answer."""
    monkeypatch.setattr("trainwright.runtime.launch.follow.INTERVAL", 0)
    (run.path / "logs").mkdir()
    (run.path / "logs" / "tiny-1.log").write_text("old\n")
    (run.path / "slurm-job").write_text("17\n")
    log = run.path / "logs" / "tiny-17.log"
    line = f'echo "step $$" >>"{log}"; [ $(wc -l <"{log}") -gt 3 ] || echo RUNNING'
    client("squeue", line)
    (run.path / "exit_code").write_text("75\n")
    told: list[str] = []
    assert follow(run, told.append) == 75
    text = "".join(told)
    assert (text.count("Slurm job 17: running"), text.count("step "), "old" in text) == (1, 4, False)


def test_logs_wait_for_what_is_written_later(run) -> None:
    """Each piece of a growing log is told once."""
    (run.path / "logs").mkdir()
    logs, log = LogFollower(run.path / "logs"), run.path / "logs" / "a.log"
    log.write_text("one\n")
    first = logs.new_text()
    with log.open("a") as more:
        more.write("two\n")
    assert (first, logs.new_text(), logs.new_text()) == ("one\n", "two\n", "")
