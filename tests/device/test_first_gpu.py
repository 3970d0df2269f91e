"""The script for the first minutes on a real GPU, on a pretend one, so that it cannot rot."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from trainwright.compiler.backtest.read_runs import read_runs
from trainwright.spec.exit_codes import Exit
from trainwright.tests.fakes.cuda.pretend import PYTHON, ROOT
from trainwright.tests.fakes.nvml import fake

SMALL = {"MODELS": "ladder-1m", "LENGTH": "64", "SEQUENCES": "4", "STEPS": "8", "SECONDS_EACH": "400"}
NO_TRITON = {"SETTINGS": "training.compile=false"}


@pytest.fixture
def first_gpu(server, tmp_path):
    """Calls the script, with some of its variables."""
    gpus = fake.FakeNvml(tmp_path / "nvml.state", devices=1)
    gpus.go_live()
    here = {
        "FAKE_NVML": str(gpus.path),
        "PYTHON": str(PYTHON),
        "LD_LIBRARY_PATH": str(server.library),
        "PRETEND_DEVICES": "1",
    }

    def call(**variables: str):
        command = ["bash", str(ROOT / "benchmarks" / "first_gpu.sh"), str(tmp_path / "out")]
        environment = os.environ | here | SMALL | NO_TRITON | variables
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return call


def test_writes_one_file_that_calibrate_reads(first_gpu, tmp_path):
    """Out of time, it ends and can be called again; then all is measured, and never twice.

    Tests of a GPU's numbers say that this one is pretend.
    """
    out = tmp_path / "out"
    assert first_gpu(LIMIT="0", GPU="A100-SXM4-80GB").returncode == Exit.PREEMPTED
    assert list(out.iterdir()) == []
    done = first_gpu(LIMIT="800")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    text = (out / "first-gpu.json").read_text()
    (row,) = read_runs(out / "first-gpu.json", text)
    assert (row.id, row.gpu, row.precision) == ("ladder-1m", "A100-SXM4-80GB", "bf16")
    assert row.speed
    about = json.loads(text)["about"]
    assert about["probes"]
    assert about["estimates"]
    assert about["tests"]
    assert all("the CUDA device is the pretend one" in said for said in about["tests"].values()), about["tests"]
    assert "Predicted and actual" in done.stdout  # of first-gpu.json; a pretend speed calibrates nothing
    again = first_gpu(LIMIT="800")
    assert again.returncode == 0, again.stderr[-2000:]
    assert "tokens/s, MFU" not in again.stdout
    assert "skipped" not in again.stdout
