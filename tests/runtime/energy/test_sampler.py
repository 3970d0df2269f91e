"""The sampling thread: in real time, under a slow instrument, and under a wall clock that jumps."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainwright.runtime.energy import PhaseLedger, Reading, sampler
from trainwright.runtime.energy.nvml import GpuProbe, find_gpus
from trainwright.runtime.energy.sampler import SampledMeter
from trainwright.tests.fakes.nvml import fake
from trainwright.tests.fakes.nvml.fake import Function

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")

METER = """
import sys, threading, time
from trainwright.runtime.energy.nvml import GpuProbe, find_gpus
from trainwright.runtime.energy.sampler import SampledMeter
began, wall = time.monotonic(), time.time()
meter = SampledMeter("nvml", [GpuProbe(gpu) for gpu in find_gpus(None, 1).gpus]).start()
print("ready", flush=True)
sys.stdin.readline()
threading.Event().wait(float(sys.argv[1]))
reading = meter.close()
print(reading.joules, reading.covered_seconds, time.monotonic() - began, time.time() - wall)
"""


def live(nvml):
    """A meter over counters that follow the real clock."""
    nvml.go_live()
    return SampledMeter("nvml", [GpuProbe(gpu) for gpu in find_gpus(None, 2).gpus])


def test_live_energy(nvml):
    """In real time the last reading is the true energy of the seconds that it covers."""
    meter, began = live(nvml).start(), time.monotonic()
    while time.monotonic() < began + 0.3:
        meter.read()
    meter.sample_now()
    reading = meter.close()
    assert reading.covered_seconds > 0.6
    assert reading.joules == pytest.approx(300 * reading.covered_seconds, rel=0.01, abs=3)
    assert meter.close() == meter.read() == reading


def test_slow_driver_stalls_nothing(nvml, monkeypatch):
    """While the driver hangs in a call, reading, poking and closing stay fast, and what it withholds is uncovered."""
    monkeypatch.setattr(sampler, "CLOSE_TIMEOUT", 0.05)
    meter = live(nvml)
    meter.start()
    nvml.fail(Function.ENERGY, times=1, sleep_ms=700)
    meter.sample_now()
    began = time.monotonic()
    for _ in range(200):
        meter.read()
        meter.sample_now()
        meter.events()
    assert time.monotonic() - began < 0.5
    reading = meter.close()
    assert time.monotonic() - began < 0.6
    meter._thread.join(5)
    assert nvml.fired(Function.ENERGY) == 1
    assert meter.read() == reading


@pytest.mark.slow
def test_five_seconds_a_call(nvml):
    """Under a driver that takes 5 s for each reading, metering takes less than 1% of the loop, and nothing is lost."""
    meter = live(nvml).start()
    nvml.fail(Function.ENERGY, sleep_ms=5000, device=1)
    began, metered = time.monotonic(), 0.0
    while (now := time.monotonic()) < began + 12:
        meter.read()
        meter.sample_now()
        metered += time.monotonic() - now
        time.sleep(0.01)
    nvml.heal(Function.ENERGY)
    assert metered < 0.01 * (time.monotonic() - began)
    meter._thread.join(6)
    reading = meter.close()
    assert nvml.fired(Function.ENERGY) >= 2
    assert reading.joules == pytest.approx(300 * (reading.covered_seconds + reading.bridged_seconds), rel=0.01)
    assert reading.uncovered_seconds == 0


def test_overhead(nvml):
    """Reading and charging cost less than 0.5% of a step of 50 ms."""
    meter, ledger, steps = live(nvml).start(), PhaseLedger(), 500
    began = time.thread_time()
    for _ in range(steps):
        ledger.charge_energy("train", Reading.from_vector(meter.read().vector()))
    spent = time.thread_time() - began
    meter.close()
    assert spent / steps < 0.005 * 0.050


def test_reading_never_falls(nvml, clock):
    """When a GPU's power drops between samples, the reading waits; it never goes back."""
    meter = SampledMeter("nvml", [GpuProbe(gpu) for gpu in find_gpus(None, 2).gpus], clock=clock)
    meter.sample()
    readings = []
    for watts in (400, 100, 400, 100):
        for _ in range(10):
            nvml.device(0).power_mw = nvml.device(1).power_mw = watts * 1000
            nvml.advance(0.1)
            clock.now += 0.1
            readings.append(meter.read().joules)
        meter.sample()
        readings.append(meter.read().joules)
    assert readings == sorted(readings)
    assert meter.close().joules == pytest.approx(2000, rel=0.001)


def test_gap_is_dated_once(nvml, clock, monkeypatch):
    """A wall clock that jumps while the meter is open does not stretch or move a gap."""
    meter = SampledMeter("nvml", [GpuProbe(gpu) for gpu in find_gpus(None, 1).gpus], clock=clock)
    meter.sample()
    opened = time.time()
    for function in (Function.ENERGY, Function.POWER):
        nvml.fail(function, code=999)
    monkeypatch.setattr(time, "time", lambda: opened + 400 * 86400)
    clock.now += 50
    meter.sample()
    meter.close()
    (gap,) = meter.events()
    assert gap.end - gap.start == pytest.approx(50)
    assert gap.start == pytest.approx(opened, abs=5)


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
@pytest.mark.parametrize("jump", ["+3600", "-3600", "+34560000"])
@pytest.mark.parametrize("seconds", ["0.2", pytest.param("30", marks=pytest.mark.slow)])
def test_wall_clock_jumps(library, tmp_path, jump, seconds):
    """With the real wall clock set off by hours or a year in the middle, energy and seconds stay the true ones."""
    nvml = fake.FakeNvml(tmp_path / "state", devices=1)
    nvml.go_live()
    offset = tmp_path / "offset"
    offset.write_text("+0")
    environment = os.environ | {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "LD_LIBRARY_PATH": str(Path(library._name).parent),
        "FAKE_NVML": str(nvml.path),
    }
    command = [sys.executable, "-c", METER, seconds]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        offset.write_text(jump)
        output, _ = process.communicate("go\n", timeout=60)
    joules, covered, elapsed, wall = map(float, output.split())
    assert wall == pytest.approx(int(jump), abs=60)
    assert covered == pytest.approx(elapsed, abs=1)
    assert joules == pytest.approx(300 * covered, rel=0.001, abs=9)
