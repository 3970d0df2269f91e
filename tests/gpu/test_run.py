"""A whole run on a GPU: launched as a user would, stopped, resumed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainwright.runtime.launch.stop import request_stop
from trainwright.spec.exit_codes import Exit
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.gpu.conftest import preset_name
from trainwright.tests.logged import logged_events

ROOT = Path(__file__).parents[2]
STEPS = 200
SETTINGS = ("model=ladder-1m", "training.precision=bf16", "training.deterministic=true")


def launch(folder: Path) -> subprocess.Popen[bytes]:
    """Start the run in a folder, or resume it."""
    cluster = f"cluster={{gpu: {preset_name()}, gpus: 1, gpus_per_node: 1}}"
    words = [word for each in (*SETTINGS, cluster, f"data.tokens={STEPS * 4096} tokens") for word in ("--set", each)]
    command = [sys.executable, "-m", "trainwright", "launch", "examples/tiny-cpu.yaml", *words]
    return subprocess.Popen([*command, "--out", folder / "bundle", "--run", folder / "run"], cwd=ROOT)


def steps(folder: Path) -> list[tuple[int, float]]:
    """Each logged step with its loss."""
    events = RunFolder(folder / "run").events
    return [(event["step"], event["loss"]) for event in logged_events(events, "step")] if events.exists() else []


@pytest.mark.usefixtures("gpu")
def test_a_stopped_run_resumes_to_the_same_losses(tmp_path):
    """With deterministic kernels, to the bit: the same as a run that was never stopped. The GPU's power was read."""
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    assert launch(straight).wait() == Exit.DONE
    process = launch(stopped)
    while not steps(stopped):
        assert process.poll() is None
        time.sleep(0.05)
    request_stop(RunFolder(stopped / "run"))
    assert process.wait() == Exit.PREEMPTED
    assert 0 < len(steps(stopped)) < STEPS
    assert launch(stopped).wait() == Exit.DONE
    assert steps(stopped) == steps(straight)
    assert any(event["power_watts"] for event in logged_events(RunFolder(stopped / "run").events, "step"))
