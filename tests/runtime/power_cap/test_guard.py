"""The guard: real processes, killed in every way; the limits come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from trainwright.runtime.power_cap import guard
from trainwright.runtime.power_cap.gpu_limits import apply, restore
from trainwright.runtime.power_cap.guard import identity
from trainwright.runtime.power_cap.record import load


def eventually(promise, seconds=20.0):
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not promise():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def enforced(site):
    """What the GPUs enforce, in watts."""
    return [site.device(i).enforced_mw / 1000 for i in range(2)]


NODE_SCRIPT = """
trap '{python} -m trainwright.runtime.power_cap restore --run {run}' EXIT
{python} -m trainwright.runtime.power_cap apply --bundle {bundle} --run {run}
{then}
"""


@pytest.fixture
def script(site, make_bundle, tmp_path):
    """Start a script that does what node.sh does, and wait until `then` says that it runs.

    The word comes from the job itself: a signal that bash gets while it forks is lost to the child.
    """
    started = []

    def start(then):
        text = NODE_SCRIPT.format(python=sys.executable, run=tmp_path, bundle=make_bundle(cap=350), then=then)
        process = subprocess.Popen(["bash", "-c", text], stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stdout.readline() == "running\n"
        assert enforced(site) == [350, 350]
        started.append(process)
        return process

    yield start
    for process in started:
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_process_group_killed(site, script, tmp_path, number):
    """When the whole process group is killed, the guard gives the limits back."""
    process = script("sh -c 'echo running; exec sleep 60'; true")
    os.killpg(process.pid, number)
    assert process.wait(10) != 0
    assert eventually(lambda: enforced(site) == [400, 400])
    assert eventually(lambda: not load(tmp_path).held)


def test_orderly_end(site, script, tmp_path):
    """At an orderly end the trap gives the limits back at once."""
    process = script("echo running; exit 7")
    assert process.wait(20) == 7
    assert enforced(site) == [400, 400]
    assert not load(tmp_path).held


def test_guard_leaves_when_nothing_is_held(site, device_plan, owner, tmp_path, monkeypatch):
    """A guard ends by itself once the limits were given back, and does nothing more."""
    monkeypatch.setattr(guard, "PERIOD", 0.001)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    who = identity(owner.pid)
    monkeypatch.setattr(guard, "start", lambda *_: None)
    apply(device_plan(cap=350, mode="sudo"), tmp_path, who)
    restore(tmp_path)
    assert guard.wait(tmp_path, who) is False
    assert guard.wait(tmp_path / "elsewhere", who) is False


def test_identity_tells_processes_apart(owner):
    """A process is known by id and start time; a dead or unreaped one is gone."""
    who = identity(owner.pid)
    assert who.startswith(f"{owner.pid}@")
    assert who != identity(os.getpid())
    owner.kill()
    os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)
    assert identity(owner.pid) == ""
    owner.wait()
    assert identity(owner.pid) == ""
