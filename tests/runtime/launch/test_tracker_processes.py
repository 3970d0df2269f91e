"""Trackers beside a run: they get its curves, and a run is never stopped by one."""

from __future__ import annotations

import json

import pytest

from trainwright.runtime.launch import tracker_processes
from trainwright.runtime.launch.tracker_processes import trackers
from trainwright.tests.compiler.specs import unit

STEP = {"kind": "step", "step": 1, "loss": 5.5}


@pytest.fixture
def tracked(run):
    """A run whose bundle asks for a tracker, as the gate leaves it."""

    def make(logging: dict) -> None:
        run.bundle.mkdir()
        plan = unit("tiny-cpu").plan.model_dump(mode="json") | {"logging": logging}
        (run.bundle / "plan.json").write_text(json.dumps(plan))
        run.events.write_text(json.dumps({"kind": "stop", "step": 0}) + "\n")  # of an earlier attempt

    return make


def test_a_launch_sends_the_curves(run, tracked) -> None:
    """What the run logs until its end is in the real wandb's offline run, although an earlier attempt had stopped."""
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    tracked({"wandb": {"mode": "offline"}})
    with trackers(run), run.events.open("a") as log:
        log.write(json.dumps(STEP) + "\n")
    (sent,) = run.path.glob("wandb/offline-run-*/run-*.wandb")
    assert b"train/loss" in sent.read_bytes()


def test_a_tracker_that_fails_is_said_and_harms_nothing(run, tracked, monkeypatch, capfd) -> None:
    """A server that nobody answers at: one sentence names the log and the way to send them again."""
    monkeypatch.setattr(tracker_processes, "GRACE", 1)  # mlflow itself tries for minutes
    tracked({"mlflow": {"server": "http://127.0.0.1:9"}})
    with trackers(run):
        pass
    said = capfd.readouterr().err
    assert "not all curves reached mlflow (it " in said
    assert f"see {run.path / 'mlflow.log'}); send them with: python -m " in said
    assert f"--run {run.path} --to mlflow" in said


def test_a_tracker_that_hangs_is_left_behind(run, tracked, monkeypatch, capfd) -> None:
    """The end of a run waits for a tracker no longer than it may."""
    monkeypatch.setattr(tracker_processes, "GRACE", 0.1)
    monkeypatch.setattr(tracker_processes, "MODULE", "trainwright.tests.runtime.launch.hanging_tracker")
    tracked({"wandb": {}})
    with trackers(run):
        pass
    assert "not all curves reached wandb (it did not end within 0.1 s" in capfd.readouterr().err


def test_a_run_without_trackers_starts_none(run) -> None:
    """Neither a bundle without them nor a run that was started by hand starts a process."""
    with trackers(run):
        assert sorted(path.name for path in run.path.iterdir()) == []
