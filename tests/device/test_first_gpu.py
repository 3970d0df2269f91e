"""The script for the first minutes on a real GPU, on a pretend one, so that it cannot rot."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from trainwright.tests.fakes.cuda.pretend import PYTHON, ROOT
from trainwright.tests.fakes.nvml import fake

SMALL = {"MODELS": "ladder-1m", "LENGTH": "64", "SEQUENCES": "4", "STEPS": "8", "SECONDS_EACH": "280"}


@pytest.mark.timeout(600)
def test_writes_rows_that_calibrate_reads(server, tmp_path):
    """Every file is written, a row says what was measured, and a second call measures nothing again."""
    out = tmp_path / "first-gpu"
    gpus = fake.FakeNvml(tmp_path / "nvml.state", devices=1)
    gpus.go_live()
    here = {
        "FAKE_NVML": str(gpus.path),
        "PYTHON": str(PYTHON),
        "LD_LIBRARY_PATH": str(server.library),
        "PRETEND_DEVICES": "1",
        **SMALL,
    }
    command = ["bash", str(ROOT / "benchmarks" / "first_gpu.sh"), str(out)]
    done = subprocess.run(command, env=os.environ | here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (row,) = json.loads((out / "runs.json").read_text())
    assert (row["id"], row["gpu"], row["precision"]) == ("ladder-1m", "A100-SXM4-80GB", "bf16")
    assert row["tokens_per_s_per_gpu"] > 0
    assert "ladder-1m" in (out / "backtest.txt").read_text()
    again = subprocess.run(command, env=os.environ | here, capture_output=True, text=True, check=True)
    assert "tokens/s" not in again.stdout
