"""The Prometheus exporter: what a scraper sees of a run."""

from __future__ import annotations

import json
import threading
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from trainwright.runtime.logs.prometheus import RunMetrics, main

START = {"kind": "start", "time": 1.0, "world_size": 2, "measured": True}
STEP = {"kind": "step", "time": 2.0, "step": 1, "loss": 5.5, "mfu": None, "power_watts": None, "energy_kwh": 0.5}
PHASE = {"kind": "phase", "name": "train", "seconds": 10.0, "energy_kwh": 0.25, "measured": True}
UNKNOWN = {"kind": "phase", "name": "startup", "seconds": 3.0, "energy_kwh": None, "measured": False}
GAP = {"kind": "gap", "device": "GPU-1", "start": 100.0, "end": 107.5, "reason": "NVML: GPU is lost"}
FAULT = {"kind": "fault", "step": 1, "rank": 0, "what": "NaN", "action": "skipped"}
STOP = {"kind": "stop", "time": 9.0, "step": 1, "reason": "done", "exit_code": 0, "energy_kwh": 0.75}


@pytest.fixture
def run(tmp_path):
    """A run folder whose log can be written to."""

    class Run:
        path = tmp_path / "small"

        def log(self, *events):
            """Append events."""
            self.path.mkdir(exist_ok=True)
            with (self.path / "events.jsonl").open("a") as file:
                file.writelines(json.dumps(event) + "\n" for event in events)

    return Run()


def samples(text):
    """Metric name and labels (but the run's) to value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert sample.labels.pop("run") == "small"
            found[sample.name.removeprefix("trainwright_"), *sample.labels.values()] = sample.value
    return found


def written(run, tmp_path):
    """What the exporter writes to a text file."""
    target = tmp_path / "run.prom"
    assert main(["--run", str(run.path), "--textfile", str(target)]) == 0
    return samples(target.read_text())


def test_textfile(run, tmp_path):
    """Every kind of event shows up under its unit; unknown numbers have no sample."""
    run.log(START, STEP, PHASE, UNKNOWN, GAP, FAULT)
    found = written(run, tmp_path)
    assert found == {
        ("step",): 1,
        ("loss",): 5.5,
        ("last_step_timestamp_seconds",): 2,
        ("devices",): 2,
        ("energy_measured",): 1,
        ("attempts_total",): 1,
        ("faults_total",): 1,
        ("energy_joules_total",): pytest.approx(1.8e6),
        ("unmetered_seconds_total", "GPU-1"): 7.5,
        ("phase_seconds_total", "train"): 10,
        ("phase_seconds_total", "startup"): 3,
        ("phase_energy_joules_total", "train"): pytest.approx(9e5),
    }


def test_devices(run, tmp_path):
    """Each rank has the newest figures of its device under rank and node; joules add up, unknowns have no sample."""
    entry = {"kind": "devices", "step": 10, "node": "node3", "ranks": [0, 1], "own_seconds": [0.5, 0.75]}
    run.log(START, entry | {"joules": [100, 200]}, entry | {"joules": [100, None], "clock_mhz": [1275, None]})
    found = written(run, tmp_path)
    assert {key: value for key, value in found.items() if "node3" in key} == {
        ("rank_own_step_seconds", "node3", "0"): 0.5,
        ("rank_own_step_seconds", "node3", "1"): 0.75,
        ("device_clock_mhz", "node3", "0"): 1275,
        ("device_energy_joules_total", "node3", "0"): 200,
        ("device_energy_joules_total", "node3", "1"): 200,
    }


def test_end_and_restart(run, tmp_path):
    """The exit code is there once the run has ended, and gone when it goes on."""
    run.log(START, STEP, STOP)
    assert written(run, tmp_path)["exit_code",] == 0
    run.log(START)
    found = written(run, tmp_path)
    assert ("exit_code",) not in found
    assert found["attempts_total",] == 2
    assert found["energy_joules_total",] == pytest.approx(2.7e6)


def test_no_log_yet(run, tmp_path):
    """Before the run writes anything there is nothing to tell, and no error."""
    assert written(run, tmp_path) == {}


def test_http_follows_the_log(run):
    """Each scrape shows what was logged since, read once."""
    registry = CollectorRegistry()
    registry.register(RunMetrics(run.path))
    server, thread = start_http_server(0, "127.0.0.1", registry)
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    try:
        for number in (1, 2, 3):
            run.log(START, STEP | {"step": number})
            with urllib.request.urlopen(url, timeout=5) as answer:
                found = samples(answer.read().decode())
            assert (found["step",], found["attempts_total",]) == (number, number)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert not any(t is thread for t in threading.enumerate())
