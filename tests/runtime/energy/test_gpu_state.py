"""Each device by itself, from the driver to the rows of the log; the fake driver's truth is known."""

from __future__ import annotations

import pynvml
import pytest

from trainwright.runtime.energy.gpu_state import HARDWARE, HEAT, POWER, NodeStates
from trainwright.runtime.energy.nvml import GpuProbe, HiddenGpuProbe, find_gpus
from trainwright.runtime.energy.sampler import SampledMeter
from trainwright.tests.fakes.nvml.fake import Function

STATE = ("clock_mhz", "temperature_celsius", "memory_bytes", "power_capped", "too_hot", "slowed_by_hardware")
READS = (Function.CLOCK, Function.MAX_CLOCK, Function.TEMPERATURE, Function.MEMORY, Function.THROTTLE)


@pytest.fixture
def metered(nvml, clock):
    """The maker of a meter of the node's GPUs in simulated time, and of seconds in which it looks once."""

    def meter(visible=None, count=2):
        found = find_gpus(visible, count)
        probes = [*map(GpuProbe, found.gpus), *map(HiddenGpuProbe, range(found.hidden))]
        made = SampledMeter("nvml", probes, clock=clock, states=NodeStates(found))
        made.sample()
        made.devices()

        def run(seconds):
            for _ in range(seconds):
                nvml.advance(1.0)
                clock.now += 1.0
                made.sample()

        return made, run

    return meter


def test_each_device_has_its_own_row(nvml, metered):
    """Energy, power, mean clock, highest temperature, memory and the share of each throttle reason are the truth."""
    meter, run = metered()
    second = nvml.device(1)
    second.power_mw, second.clock_mhz, second.celsius, second.used_bytes = 200_000, 1110, 83, 5 << 30
    second.throttle_reasons = POWER
    run(6)
    second.clock_mhz, second.celsius, second.throttle_reasons = 990, 70, POWER | HEAT
    run(2)
    first, slow = meter.devices()
    assert (first.device, slow.device) == ("GPU-00000000-fake", "GPU-00000001-fake")
    assert (first.joules, first.watts, slow.joules, slow.watts) == (2400, 300, 1600, 200)
    assert [getattr(first, name) for name in STATE] == [1275, 55, 0, 0, 0, 0]
    assert [getattr(slow, name) for name in STATE] == [1080, 83, 5 << 30, 1, 0.25, 0]
    second.throttle_reasons = HARDWARE
    run(1)
    assert [(row.joules, row.slowed_by_hardware) for row in meter.devices()] == [(300, 0), (200, 1)]


def test_driver_without_state(nvml, metered):
    """What a driver does not have stays unknown, and its energy is metered all the same."""
    for function in READS:
        nvml.fail(function, code=pynvml.NVML_ERROR_NOT_SUPPORTED)
    meter, run = metered()
    run(3)
    row = meter.devices()[0]
    assert (row.joules, [getattr(row, name) for name in STATE]) == (900, [None] * 6)
    assert meter.events() == []


def test_driver_that_lies(nvml, metered):
    """A value that no GPU can have is left out and reported, once; the others are kept."""
    meter, run = metered()
    nvml.device(0).clock_mhz, nvml.device(0).celsius, nvml.device(0).used_bytes = 2**32 - 1, 4000, 1 << 40
    run(5)
    liar, honest = meter.devices()
    assert (liar.clock_mhz, liar.temperature_celsius, liar.memory_bytes, liar.watts) == (None, None, None, 300)
    assert honest.clock_mhz == 1275
    clock, heat, memory = (event.what for event in meter.events())
    assert clock.startswith("NVML reports a clock of 4,294,967,295 MHz for GPU-00000000-fake: at most 1,410")
    assert ("temperature of 4,000" in heat, "memory in use of" in memory) == (True, True)


def test_driver_that_says_nothing_for_a_while(nvml, metered):
    """Where part of the span has no reading the mean power is unknown, and without any look so is the state."""
    meter, run = metered(count=1)
    for function in (Function.ENERGY, Function.POWER, *READS):
        nvml.fail(function, code=pynvml.NVML_ERROR_GPU_IS_LOST)
    run(10)
    row = meter.devices()[0]
    assert (row.watts, row.clock_mhz, row.power_capped) == (None, None, None)


def test_slices_and_hidden_devices(nvml, metered):
    """Ranks on slices of one GPU show that GPU; a rank whose GPU this process cannot see has a row of unknowns."""
    nvml.device(1).slices[0].value = b"MIG-a"
    nvml.device(1).slices[1].value = b"MIG-b"
    meter, run = metered(visible="MIG-a,MIG-b", count=3)
    run(2)
    one, other, unseen = meter.devices()
    assert one.device == other.device == "GPU-00000001-fake"
    assert (one.clock_mhz, unseen.device, unseen.clock_mhz, unseen.joules) == (1275, "unseen-0", None, None)
