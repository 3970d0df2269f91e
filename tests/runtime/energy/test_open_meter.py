"""Which meter a rank gets, and what the readings of a job add up to."""

from __future__ import annotations

import threading

import pynvml
import pytest

from trainwright.runtime.energy import Reading, node, open_meter, rapl
from trainwright.runtime.energy.cap import observe_cap
from trainwright.runtime.energy.meter import ConstantPowerMeter, NoMeter
from trainwright.tests.fakes.nvml import fake
from trainwright.tests.fakes.nvml.fake import Function


@pytest.fixture(autouse=True)
def no_instruments(monkeypatch, tmp_path):
    """No driver, no powercap folder, no launcher, unless the test brings them."""
    fake.forget()
    monkeypatch.delenv("FAKE_NVML", raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    monkeypatch.setattr(rapl, "POWERCAP", tmp_path / "powercap")


def total(readings):
    """What an all-reduce over ranks gives."""
    return Reading.from_vector([sum(values) for values in zip(*(r.vector() for r in readings), strict=True)])


def test_only_local_rank_0_meters(device_plan):
    """A sum over the ranks of a node counts its energy once."""
    plan = device_plan("cpu", count=4, assumed_watts=50)
    readings = [open_meter(plan, rank).read() for rank in range(4)]
    assert total(readings).source == "assumed"
    assert total(readings).watts == 200
    assert total(readings).joules == readings[0].joules


def test_assumed_power(clock):
    """Without an instrument the assumed power counts for each device and elapsed second, labelled as not measured."""
    meter = ConstantPowerMeter(65.0, 2, clock)
    clock.now += 3600
    reading = meter.read()
    assert reading.kwh == pytest.approx(0.13)
    assert (reading.source, reading.measured, reading.covered_seconds) == ("assumed", False, 7200)
    assert meter.close() == reading


def test_unknown_is_not_zero(device_plan):
    """Without an instrument and without an assumption the energy is unknown."""
    meter = open_meter(device_plan("cpu"), 0)
    reading = meter.read()
    assert (meter.source, reading.source, reading.joules, reading.kwh, reading.watts) == (None,) * 5
    assert not reading.measured
    assert reading.uncovered_seconds > 0


def test_devices_of_a_part_node(device_plan, monkeypatch):
    """Torchrun's local world size says how many devices this node has."""
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert open_meter(device_plan("cpu", count=4, assumed_watts=10), 0).read().watts == 30


def test_gpus_are_metered(nvml, device_plan):
    """With a driver the meter reads NVML, and close gives a last measured reading."""
    meter = open_meter(device_plan(), 0)
    try:
        assert meter.source == "nvml"
    finally:
        reading = meter.close()
    assert reading.measured
    assert reading.joules is not None


@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_DRIVER_NOT_LOADED, pynvml.NVML_ERROR_NO_PERMISSION])
@pytest.mark.parametrize("function", [Function.INIT, Function.COUNT, Function.BY_INDEX, Function.GET_UUID])
def test_driver_that_does_not_open(nvml, device_plan, function, code):
    """When the driver cannot be opened the assumed power is used, or the energy is unknown."""
    nvml.fail(function, code=code)
    assert open_meter(device_plan(assumed_watts=400), 0).source == "assumed"
    assert open_meter(device_plan(), 0).source is None
    assert nvml.fired(function) == 2


def test_gpus_that_show_nothing(nvml, device_plan):
    """GPUs with neither counter nor power reading are not metered."""
    for function in (Function.ENERGY, Function.POWER):
        nvml.fail(function, code=pynvml.NVML_ERROR_NOT_SUPPORTED)
    assert open_meter(device_plan(), 0).source is None
    assert nvml.fired(Function.ENERGY) == nvml.fired(Function.POWER) == 2


def test_gpus_that_rank_0_cannot_see(nvml, device_plan, monkeypatch):
    """When each rank was given its own GPU, those that rank 0 cannot see are gaps, and their cap is not vouched for."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    meter = open_meter(device_plan(count=4), 0)
    reading = meter.close()
    assert 0 < reading.covered_seconds < reading.uncovered_seconds
    assert [event.device for event in meter.events()] == ["unseen-0", "unseen-1", "unseen-2"]
    assert observe_cap(device_plan(count=4, cap=400)).applied is None


def test_no_driver_library(device_plan):
    """On a machine without libnvidia-ml.so the meter falls back."""
    if fake.compiler() is None:
        assert open_meter(device_plan(), 0).source is None
    assert open_meter(device_plan(assumed_watts=1), 0).source == "assumed"


def test_driver_that_hangs(nvml, device_plan, monkeypatch):
    """A driver that does not come back counts as absent after a while."""
    monkeypatch.setattr(node, "DRIVER_TIMEOUT", 0.05)
    nvml.fail(Function.INIT, sleep_ms=300)
    assert open_meter(device_plan(assumed_watts=400), 0).source == "assumed"
    assert nvml.fired(Function.INIT) == 1
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.daemon:
            thread.join(2)


def test_worst_node_names_the_source():
    """One node on an assumption makes the job's energy not measured; one unknown node makes it unknown."""
    measured = Reading("nvml", 10.0, 300.0, covered_seconds=5)
    assumed = Reading("assumed", 5.0, 100.0, covered_seconds=5)
    unknown = Reading(None, None, None, uncovered_seconds=5)
    absent = NoMeter().read()
    assert total([measured, absent, measured]) == Reading("nvml", 20.0, 600.0, covered_seconds=10)
    assert total([measured, absent, assumed]) == Reading("assumed", 15.0, 400.0, covered_seconds=10)
    assert total([measured, absent, unknown]) == Reading(None, None, None, covered_seconds=5, uncovered_seconds=5)
