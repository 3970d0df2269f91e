"""The same meter on a real NVIDIA GPU, where there is one. In its own process: ours may hold the fake driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, time
import pynvml
from trainwright.runtime.energy import open_meter
from trainwright.runtime.energy.cap import observe_cap
from trainwright.spec.plan import Device, Plan

try:
    pynvml.nvmlInit()
except pynvml.NVMLError as error:
    print(json.dumps({"missing": str(error)}))
    raise SystemExit
device = Device(kind="cuda", name="any", count=1, per_node=1, power_cap_watts=1e4, power_cap_mode="assume-set",
                assumed_watts=None, peak_flops=None, interconnect="none")
plan = Plan.model_construct(device=device)
handle = pynvml.nvmlDeviceGetHandleByIndex(0)
meter, began, trace = open_meter(plan, 0), time.monotonic(), []
while time.monotonic() < began + 5:
    trace.append(pynvml.nvmlDeviceGetPowerUsage(handle) / 1000)
    meter.read()
    time.sleep(0.02)
reading = meter.close()
print(json.dumps({
    "source": reading.source, "watts": reading.joules / reading.covered_seconds, "trace": sum(trace) / len(trace),
    "uncovered": reading.uncovered_seconds, "gaps": len(meter.events()), "applied": observe_cap(plan).applied,
}))
"""


def test_counter_agrees_with_power():
    """The energy counter, read by the meter, is the GPU's own power times time, without a gap; the cap can be read."""
    environment = {key: value for key, value in os.environ.items() if key not in ("FAKE_NVML", "LOCAL_WORLD_SIZE")}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    seen = json.loads(run.stdout.splitlines()[-1])
    if "missing" in seen:
        pytest.skip(f"no NVIDIA GPU: {seen['missing']}")
    assert seen["source"] == "nvml"
    assert seen["watts"] == pytest.approx(seen["trace"], rel=0.15)
    assert (seen["uncovered"], seen["gaps"], seen["applied"]) == (0, 0, True)
