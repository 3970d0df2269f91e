"""Curves that leave for a tracking server."""

from __future__ import annotations

import json
import sys

import pytest

from trainwright.runtime.logs import trackers
from trainwright.runtime.logs.trackers import main, options_of, send_events
from trainwright.spec.run_progress import EventFollower
from trainwright.spec.tracking import Logging

STEP = {"kind": "step", "step": 1, "loss": 5.5, "mfu": None, "energy_kwh": 0.5, "seconds": 1.0}
VALIDATION = {"kind": "validation", "step": 1, "loss": 5.6, "seconds": 1.0}
STOP = {"kind": "stop", "step": 2, "reason": "done", "exit_code": 0, "energy_kwh": 0.75}


@pytest.fixture
def run(tmp_path):
    """A finished run of two steps."""
    folder = tmp_path / "small"
    folder.mkdir()
    events = [STEP, VALIDATION, STEP | {"step": 2, "loss": 5.0}, STOP]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (folder / "plan.json").write_text(json.dumps({"name": "small", "training": {"seed": 7}}))
    return folder


class Collected:
    """A sink that keeps what it is sent."""

    def __init__(self):
        self.points = []

    def send(self, step, values):
        """Keep a point."""
        self.points.append((step, dict(values)))

    def close(self):
        """Nothing waits."""


def test_finished_run(run):
    """Every step and validation is sent once, unknown numbers left out, and the end of the run ends the sending."""
    sink = Collected()
    send_events(EventFollower(run / "events.jsonl"), sink)
    assert sink.points == [
        (1, {"train/loss": 5.5, "train/energy_kwh": 0.5}),
        (1, {"validation/loss": 5.6}),
        (2, {"train/loss": 5.0, "train/energy_kwh": 0.5}),
    ]


def test_running_run(run, monkeypatch):
    """A run that goes on is followed until it stops."""
    log = run / "events.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text(lines.pop(0))

    def wait(_):
        with log.open("a") as file:
            file.write(lines.pop(0))

    monkeypatch.setattr(trackers.time, "sleep", wait)
    sink = Collected()
    send_events(EventFollower(log), sink)
    assert [step for step, _ in sink.points] == [1, 1, 2]
    assert lines == []


def test_a_fault_after_the_end(run):
    """What a launcher adds after a run has stopped keeps nobody waiting."""
    with (run / "events.jsonl").open("a") as log:
        log.write(json.dumps({"kind": "fault", "step": None, "what": "slow", "action": "none"}) + "\n")
    sink = Collected()
    send_events(EventFollower(run / "events.jsonl"), sink)
    assert len(sink.points) == 3


def test_every_so_many_steps(run):
    """With `every`, steps between are left out, validations never."""
    sink = Collected()
    send_events(EventFollower(run / "events.jsonl"), sink, every=2)
    assert [step for step, _ in sink.points] == [1, 2]
    assert "validation/loss" in sink.points[0][1]


def test_the_options_of_a_spec_are_those_of_the_command():
    """What a spec asks for reaches the tracker, key by key."""
    logging = Logging.model_validate(
        {
            "wandb": {"project": "llamas", "entity": "team", "mode": "offline"},
            "mlflow": {"experiment": "l", "server": "https://mlflow.example.org:5000"},
            "every": {"value": 10, "unit": "steps"},
        }
    )
    assert options_of(logging) == {
        "wandb": ["--every=10", "--project=llamas", "--mode=offline", "--entity=team"],
        "mlflow": ["--every=10", "--project=l", "--server=https://mlflow.example.org:5000"],
    }


def test_tracker_that_is_not_installed(run, monkeypatch, capsys):
    """A tracker that is not there is named, with the command that brings it."""
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main(["--run", str(run), "--to", "wandb"]) == 2
    assert "pip install 'trainwright[wandb]'" in capsys.readouterr().err


def test_wandb_offline(run, monkeypatch):
    """The real wandb takes the run in its offline mode."""
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    assert main(["--run", str(run), "--to", "wandb"]) == 0
    (log,) = run.glob("wandb/offline-run-*/run-small.wandb")
    assert log.stat().st_size > 0


def test_mlflow(run, tmp_path, monkeypatch):
    """The real mlflow stores the curves and the settings of the run."""
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/mlruns")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert main(["--run", str(run), "--to", "mlflow"]) == 0
    client = mlflow.MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("trainwright").experiment_id])
    assert found.data.params["training.seed"] == "7"
    assert losses(client, found) == [5.5, 5.0]
    with (run / "events.jsonl").open("a") as log:  # resumed, and stopped again
        log.write(json.dumps(STEP | {"step": 3, "loss": 4.5}) + "\n" + json.dumps(STOP) + "\n")
    assert main(["--run", str(run), "--to", "mlflow"]) == 0
    assert losses(client, found) == [5.5, 5.0, 4.5]


def losses(client, run):
    """The training curve that MLflow holds."""
    return [point.value for point in client.get_metric_history(run.info.run_id, "train/loss")]
