"""The supervisor: one launch a run folder, Ctrl-C saves, restarts while there is progress, exit codes pass through."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from trainwright.runtime.launch.lock import hold, is_held, owner
from trainwright.runtime.launch.restart import HOST_TIMEOUT
from trainwright.spec.exit_codes import FINAL, Exit
from trainwright.tests.compiler.specs import unit

RACERS = 20


def lines(process: subprocess.Popen[str], word: str) -> None:
    """Read the output of a process up to the line with `word`."""
    for line in process.stdout:
        if word in line:
            return
    pytest.fail(f"{word} never came: {process.stderr.read()}")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and standard error of a process."""
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_of_racing_launches_exactly_one_wins(supervise, run) -> None:
    """Of twenty starts at once one runs; the others exit 2, name the owner, and run nothing."""
    racers = [supervise("echo started >> wins; cat go 2>/dev/null; sleep 30 & wait") for _ in range(RACERS)]
    losers = [racer for racer in racers if wait_unless_owner(racer, run)]
    assert len(losers) == RACERS - 1
    winner = next(racer for racer in racers if racer not in losers)
    for loser in losers:
        code, errors = ended(loser)
        assert code == Exit.INPUT
        assert "TW705" in errors
    assert owner(run).startswith(f"process {winner.pid} on ")
    assert (run.path / "wins").read_text() == "started\n"


def test_a_run_that_was_asked_to_stop_is_not_started_again(supervise, run) -> None:
    """A process that is lost after `stop`: the next launch resumes, this one ends."""
    code, _ = ended(supervise(f"echo started >> starts; touch {run.stop}; kill -9 $$"))
    assert code == Exit.PREEMPTED
    assert (run.path / "starts").read_text() == "started\n"


def wait_unless_owner(racer: subprocess.Popen[str], run) -> bool:
    """Wait for a racer to lose; False for the one that holds the lock."""
    until = time.monotonic() + 60
    while racer.poll() is None and time.monotonic() < until:
        if is_held(run) and f"process {racer.pid} " in owner(run):
            return False
        time.sleep(0.02)
    return racer.poll() is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_the_run_to_save(supervise, run, number) -> None:
    """Ctrl-C reaches only the supervisor: the script sees the stop file and a SIGTERM, and leaves in its own time."""
    wait = "until [[ -e stop && -n ${saved-} ]]; do sleep 0.02; done"
    script = f"trap 'saved=1' TERM; echo ready; {wait}; echo saved > state; exit 75"
    process = supervise(script)
    lines(process, "ready")
    process.send_signal(number)
    code, errors = ended(process)
    assert code == Exit.PREEMPTED
    assert "saving" in errors
    assert (run.path / "state").read_text() == "saved\n"


def test_a_second_signal_ends_what_will_not_save(supervise, run) -> None:
    """Twice Ctrl-C ends a run that hangs, with everything it started."""
    process = supervise("trap '' TERM; (trap '' TERM; echo $BASHPID > child; exec sleep 60) & echo ready; wait; wait")
    lines(process, "ready")
    process.send_signal(signal.SIGINT)
    while not run.stop.exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == Exit.PREEMPTED
    assert not is_held(run)


@pytest.mark.parametrize("code", sorted(FINAL))
def test_final_codes_pass_through(supervise, run, code: int) -> None:
    """What would end the same way again is not started again, and its code is ours."""
    assert ended(supervise(f"echo once >> starts; exit {code}"))[0] == code
    assert (run.path / "starts").read_text() == "once\n"


@pytest.mark.parametrize("code", [Exit.PEER_LOST, Exit.DEVICE])
def test_a_lost_rank_or_device_is_started_again(supervise, run, code: Exit) -> None:
    """The run resumes, and its good end is the launch's."""
    script = f"echo start >> starts; [[ $(wc -l < starts) -ge 3 ]] || {step('$(wc -l < starts)', code)}"
    assert ended(supervise(script))[0] == Exit.DONE
    assert (run.path / "starts").read_text() == "start\n" * 3


def test_without_progress_three_restarts_are_enough(supervise, run) -> None:
    """A run that dies at the same step each time ends with NO_PROGRESS."""
    code, errors = ended(supervise(f"echo start >> starts; {step('7')}"))
    assert code == Exit.NO_PROGRESS
    assert len((run.path / "starts").read_text().split()) == 4
    assert errors.count("starting it again") == 3


def step(number: str, code: Exit = Exit.PEER_LOST) -> str:
    """Bash that logs a step and exits with `code`."""
    return f"""{{ printf '{{"kind": "step", "step": %d}}\\n' {number} >> events.jsonl; exit {int(code)}; }}"""


def test_hosts_are_waited_for_at_a_restart_only(supervise, run) -> None:
    """The first start is told to wait for no host, a restart for as long as one takes to boot."""
    script = f"echo $TRAINWRIGHT_HOST_TIMEOUT >> patience; [[ $(wc -l < patience) -ge 2 ]] || {step('1')}"
    assert ended(supervise(script))[0] == Exit.DONE
    assert (run.path / "patience").read_text() == f"0\n{HOST_TIMEOUT}\n"


def test_an_old_stop_file_does_not_stop_a_new_launch(supervise, run) -> None:
    """A launch after `trainwright stop` really goes on."""
    run.stop.touch()
    assert ended(supervise("[[ ! -e stop ]]"))[0] == Exit.DONE


def test_the_recorded_code_of_an_earlier_end_is_forgotten(supervise, run) -> None:
    """The code of the last launch says nothing about this one."""
    (run.path / "exit_code").write_text("77\n")
    assert ended(supervise("[[ ! -e exit_code ]]"))[0] == Exit.DONE


def test_the_lock_outlives_a_killed_supervisor(supervise, run) -> None:
    """After kill -9 the orphaned training still holds the folder, so a second launch cannot join in."""
    process = supervise("echo $BASHPID > child; sleep 60 & echo ready; wait")
    lines(process, "ready")
    child = int((run.path / "child").read_text())
    process.kill()
    process.wait()
    assert is_held(run)
    subprocess.run(["kill", "-9", "--", f"-{child}"], check=True)
    until = time.monotonic() + 10
    while is_held(run) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_held(run)


def test_the_lock_says_who(supervise, run) -> None:
    """The lock file names process and host, for people and for the refusal."""
    process = supervise("echo ready; sleep 60")
    lines(process, "ready")
    assert json.loads(run.lock.read_text())["pid"] == process.pid


@pytest.mark.parametrize("name", ["lock", "ranks.lock"])
@pytest.mark.parametrize("plant", [lambda path: path.symlink_to("/dev/null"), lambda path: path.mkdir()])
def test_a_lock_that_is_no_file_is_refused(run, name, plant) -> None:
    """A link or a folder in its place: the launch ends before it starts anything, not in its ranks."""
    plant(run.path / name)
    with pytest.raises(OSError, match=name), hold(run):
        pass


def test_a_rank_that_outlives_its_launch_keeps_the_next_one_out(supervise, run) -> None:
    """Whatever became of the launcher: while a rank holds its lock, a launch is refused and changes nothing."""
    run.lock.write_text('{"pid": 1, "host": "gone"}')
    code = f"""if True:
        import time
        from pathlib import Path
        from trainwright.runtime.launch.lock import hold_as_rank
        from trainwright.spec.run_folder import RunFolder
        hold_as_rank(RunFolder(Path({str(run.path)!r})))
        print("held", flush=True)
        time.sleep(60)"""
    rank = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert rank.stdout.readline() == "held\n"
        code, errors = ended(supervise("touch started"))
        assert (code, "ranks that outlived process 1 on gone" in errors) == (Exit.INPUT, True)
        assert not (run.path / "started").exists()
        assert run.lock.read_text() == '{"pid": 1, "host": "gone"}'
    finally:
        rank.kill()
        rank.communicate()
    assert ended(supervise("touch started"))[0] == Exit.DONE


@pytest.fixture
def full_disk(run):
    """A run folder on a disk of its own without a free byte."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(run.path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    with contextlib.suppress(OSError), (run.path / "filler").open("wb", buffering=0) as filler:
        while filler.write(b"0" * 4096):
            pass
    yield run
    subprocess.run(["umount", "--lazy", str(run.path)], check=True)


@pytest.mark.parametrize("module", ["launch.supervise", "launch.node_launcher", "preflight"])
def test_a_full_disk_has_its_code_in_every_process(full_disk, module, tmp_path) -> None:
    """Before a run has begun: 78 and a sentence from the supervisor, the node's launcher and the preflight."""
    (tmp_path / "plan.json").write_text(unit("tiny-cpu").plan.model_dump_json())
    options = {
        "launch.supervise": ["--", "true"],
        "launch.node_launcher": ["--ranks=2", "--", "this"],
        "preflight": [f"--bundle={tmp_path}"],
    }
    words = [sys.executable, "-m", f"trainwright.runtime.{module}", f"--run={full_disk.path}", *options[module]]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == Exit.STORAGE, done.stdout + done.stderr
    assert "No space left on device" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
