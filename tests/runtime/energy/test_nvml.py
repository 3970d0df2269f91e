"""NVML metering against a fake driver whose true energy is known."""

from __future__ import annotations

import random

import pynvml
import pytest

from trainwright.runtime.energy.nvml import GpuProbe, find_gpus
from trainwright.runtime.energy.sampler import SampledMeter
from trainwright.spec.events import GapEvent
from trainwright.tests.fakes.nvml.fake import FOREVER, Function

CODES = sorted(
    getattr(pynvml, name)
    for name in dir(pynvml)
    if name.startswith("NVML_ERROR_") and isinstance(getattr(pynvml, name), int)
)


class Bench:
    """A meter over the fake GPUs in simulated time, beside the true energy of each second."""

    def __init__(self, nvml, clock, count=2):
        self.nvml, self.clock = nvml, clock
        self.meter = SampledMeter("nvml", [GpuProbe(gpu) for gpu in find_gpus(None, count).gpus], clock=clock)
        self.truth = []  # (start, end, device, joules)
        self.meter.sample()

    def run(self, seconds, watts=None, step=1.0):
        """Let simulated time pass, with one sample a step."""
        for _ in range(round(seconds / step)):
            self.pass_time(step, watts)
            self.meter.sample()

    def pass_time(self, seconds, watts=None):
        """Let simulated time pass without a sample."""
        for i in range(self.nvml.state.devices):
            device = self.nvml.device(i)
            device.power_mw = round(1000 * (watts or 250 + 50 * i))
            joules = device.power_mw / 1000 * seconds
            self.truth.append((self.clock.now, self.clock.now + seconds, device.uuid.decode(), joules))
        self.nvml.advance(seconds)
        self.clock.now += seconds

    def finish(self):
        """The final reading, the gaps, and the true energy outside them."""
        reading = self.meter.close()
        gaps = [event for event in self.meter.events() if isinstance(event, GapEvent)]
        wall = self.meter._wall
        outside = 0.0
        for start, end, device, joules in self.truth:
            lost = sum(
                max(0.0, min(end, gap.end - wall) - max(start, gap.start - wall))
                for gap in gaps
                if gap.device == device
            )
            outside += joules * (1 - lost / (end - start))
        return reading, gaps, outside


@pytest.fixture
def bench(nvml, clock):
    """A bench of two GPUs."""
    return Bench(nvml, clock)


def test_counter_is_exact(bench):
    """Without faults the metered energy is the true energy and every second is covered by the counter."""
    bench.run(60, watts=350)
    bench.run(60, watts=120)
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=1e-6)
    assert reading.source == "nvml"
    assert reading.measured
    assert (reading.covered_seconds, reading.bridged_seconds, reading.uncovered_seconds) == pytest.approx((240, 0, 0))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("function", [Function.ENERGY, Function.POWER])
def test_error_codes(bench, nvml, function, code):
    """Whatever error a reading returns for a while, nothing raises and no energy is lost: the other reading goes on."""
    bench.run(10)
    nvml.fail(function, after=3, times=20, code=code)
    bench.run(60)
    assert nvml.fired(function) == 20
    reading, gaps, truth = bench.finish()
    assert reading.joules == pytest.approx(truth, rel=1e-6)
    assert gaps == []
    assert reading.covered_seconds == pytest.approx(140)


@pytest.mark.parametrize("code", CODES)
def test_handle_cannot_be_renewed(bench, nvml, code):
    """After an error the handle is fetched again; when that fails too, the old one is used on."""
    bench.run(10)
    nvml.fail(Function.ENERGY, times=20, code=pynvml.NVML_ERROR_GPU_IS_LOST)
    nvml.fail(Function.BY_UUID, times=20, code=code)
    bench.run(30)
    assert nvml.fired(Function.BY_UUID) == 20
    reading, gaps, truth = bench.finish()
    assert reading.joules == pytest.approx(truth, rel=1e-6)
    assert gaps == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("after", [0, 1, 7, 40])
def test_lost_for_good(bench, nvml, code, after):
    """A GPU that answers nothing from call k on becomes one gap to the end, not zero; the other is metered on."""
    bench.run(5)
    for function in (Function.ENERGY, Function.POWER):
        nvml.fail(function, after=after, device=1, code=code)
    bench.run(60)
    assert nvml.fired(Function.ENERGY) == nvml.fired(Function.POWER) == 60 - after
    reading, gaps, truth = bench.finish()
    assert reading.joules == pytest.approx(truth, rel=0.01)
    assert [gap.device for gap in gaps] == ["GPU-00000001-fake"]
    assert gaps[0].end - gaps[0].start == pytest.approx(60 - after)
    assert reading.uncovered_seconds == pytest.approx(60 - after)
    assert gaps[0].reason.startswith("NVML: ")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(150))
def test_campaign(bench, nvml, seed):
    """Ten minutes with ten outages of random readings, codes and lengths: true within 1% outside the gaps."""
    chance = random.Random(seed)  # noqa: S311 - a story to repeat, not a secret
    bench.run(5)
    for _ in range(10):
        struck = chance.choice([[Function.ENERGY], [Function.POWER], [Function.ENERGY, Function.POWER]])
        times, device = chance.randint(1, 40), chance.randrange(2)
        for function in struck:
            nvml.fail(function, after=chance.randint(0, 5), times=times, code=chance.choice(CODES), device=device)
        if chance.random() < 0.2:
            nvml.device(device).energy_mj = 0
        bench.run(60, watts=chance.uniform(80, 400))
        assert all(nvml.fired(function) > 0 for function in struck)
    reading, _, truth = bench.finish()
    assert reading.joules == pytest.approx(truth, rel=0.01)


def test_counter_covers_an_outage(bench, nvml):
    """A counter that could not be read for a while went on counting: no gap, no loss."""
    bench.run(10)
    for function in (Function.ENERGY, Function.POWER):
        nvml.fail(function, times=60, code=pynvml.NVML_ERROR_TIMEOUT)
    bench.run(30)
    assert bench.meter.read().uncovered_seconds == pytest.approx(60)
    bench.run(10)
    reading, gaps, truth = bench.finish()
    assert nvml.fired(Function.ENERGY) == 60
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=1e-6)


def test_lost_gpu_is_told_while_the_run_goes_on(bench, nvml):
    """A GPU that has been silent for ten minutes is told as a gap, not only at the end; it counts when it is back."""
    bench.run(10)
    for function in (Function.ENERGY, Function.POWER):
        nvml.fail(function, device=0, code=pynvml.NVML_ERROR_GPU_IS_LOST)
    bench.run(590)
    assert bench.meter.events() == []
    bench.run(20)
    told = bench.meter.events()
    assert [gap.end - gap.start for gap in told] == pytest.approx([610])
    for function in (Function.ENERGY, Function.POWER):
        nvml.heal(function)
    bench.run(100)
    reading, gaps, _ = bench.finish()
    assert [gap.end - gap.start for gap in gaps] == []
    assert reading.joules == pytest.approx(250 * 110 + 300 * 720, rel=0.01)


def test_reset_is_bridged_by_the_power_trace(bench, nvml):
    """A counter that starts again at zero costs nothing while the power can be read, and the bridge is labelled."""
    bench.run(30)
    nvml.device(0).energy_mj = 0
    bench.run(30)
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=0.01)
    assert reading.bridged_seconds == pytest.approx(1)


def test_reset_during_an_outage_is_a_gap(bench, nvml):
    """When the counter restarts while nothing can be read, exactly that span is a gap with its reason."""
    bench.run(30)
    for function in (Function.ENERGY, Function.POWER):
        nvml.fail(function, times=8, device=0, code=pynvml.NVML_ERROR_UNKNOWN)
    bench.run(4)
    nvml.device(0).energy_mj = 0
    bench.run(26)
    reading, gaps, truth = bench.finish()
    assert nvml.fired(Function.ENERGY) == 8
    assert [(gap.device, round(gap.end - gap.start, 3), gap.reason) for gap in gaps] == [
        ("GPU-00000000-fake", 9.0, "the energy counter was reset")
    ]
    assert reading.joules == pytest.approx(truth, rel=0.01)
    assert reading.uncovered_seconds == pytest.approx(9)


def test_wrap(nvml, clock):
    """A counter that wraps, though NVML's has 64 bits, is bridged by the power trace."""
    nvml.device(0).energy_mj = 2**32 - 2_000_000
    bench = Bench(nvml, clock)
    for _ in range(60):
        bench.pass_time(1.0)
        nvml.device(0).energy_mj %= 2**32
        bench.meter.sample()
    assert nvml.device(0).energy_mj < 2**31
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=0.001)


def test_jump_forward_is_not_believed(bench, nvml):
    """A counter that jumps by more than the GPU can draw is bridged by the power trace."""
    bench.run(30)
    nvml.device(0).energy_mj += 10**9
    bench.run(30)
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=0.01)


def test_stale_counter_that_catches_up(bench, nvml):
    """A counter that stands still and then catches up is believed."""
    bench.run(10)
    frozen = nvml.device(0).energy_mj
    for _ in range(20):
        bench.pass_time(1.0)
        true, nvml.device(0).energy_mj = nvml.device(0).energy_mj, frozen
        bench.meter.sample()
        nvml.device(0).energy_mj = true
    assert bench.meter.read().bridged_seconds == pytest.approx(20)
    bench.run(10)
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=1e-6)
    assert reading.bridged_seconds == 0


def test_stale_counter_that_lost_energy(bench, nvml):
    """A counter that stood still and goes on from there lost energy: the power trace stands in."""
    bench.run(10)
    frozen = nvml.device(0).energy_mj
    for _ in range(30):
        bench.pass_time(1.0)
        nvml.device(0).energy_mj = frozen
        bench.meter.sample()
    bench.run(30)
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=0.01)
    assert reading.bridged_seconds == pytest.approx(31)


def test_driver_without_the_counter(nvml_without_counter, clock):
    """Without an energy counter the power trace is integrated, and labelled as bridged."""
    bench = Bench(nvml_without_counter, clock)
    bench.run(60)
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=0.01)
    assert (reading.covered_seconds, reading.bridged_seconds) == pytest.approx((0, 120))


def test_trace_alone_shows_its_holes(nvml_without_counter, clock):
    """Without a counter, seconds in which the power cannot be read are a gap, reported while the run goes on."""
    bench = Bench(nvml_without_counter, clock)
    bench.run(20)
    nvml_without_counter.fail(Function.POWER, times=20, code=pynvml.NVML_ERROR_NO_DATA)
    bench.run(30)
    assert nvml_without_counter.fired(Function.POWER) == 20
    gaps = bench.meter.events()
    assert [gap.end - gap.start for gap in gaps] == pytest.approx([11, 11])
    assert bench.meter.close().uncovered_seconds == pytest.approx(22)


def test_never_answers(nvml, clock):
    """GPUs that are there but never answer: the energy is unknown, not zero."""
    for function in (Function.ENERGY, Function.POWER):
        nvml.fail(function, times=FOREVER, code=pynvml.NVML_ERROR_UNKNOWN)
    bench = Bench(nvml, clock)
    bench.run(10)
    reading, gaps, _ = bench.finish()
    assert nvml.fired(Function.ENERGY) > 10
    assert reading.joules is None
    assert reading.watts is None
    assert reading.uncovered_seconds == pytest.approx(20)
    assert len(gaps) == 2


def test_lost_initialisation(bench, nvml):
    """NVML that was shut down behind our back is initialised again."""
    bench.run(5)
    nvml.state.initialised = 0
    bench.run(10)
    assert nvml.state.initialised == 1
    reading, gaps, truth = bench.finish()
    assert gaps == []
    assert reading.joules == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize(
    ("visible", "count", "expected"),
    [
        (None, 4, [0, 1, 2, 3]),
        (None, 2, [0, 1]),
        ("3,1", 2, [3, 1]),
        ("3,1", 1, [3]),
        ("2,2", 2, [2]),
        ("GPU-00000002-fake,0", 2, [2, 0]),
        ("GPU-00000002", 1, [2]),
        ("GPU-0", 1, []),
        ("0,-1,2", 3, [0]),
        ("0,9,2", 3, [0]),
        ("", 1, []),
        ("MIG-b,MIG-a", 2, [1]),
        ("MIG-unknown", 1, []),
    ],
)
def test_visible_devices(nvml, visible, count, expected):
    """CUDA_VISIBLE_DEVICES is read as CUDA reads it; a GPU is metered once, and MIG slices by their parent."""
    nvml.state.devices = 4
    for i in range(4):
        nvml.device(i).uuid = f"GPU-{i:08x}-fake".encode()
    nvml.device(1).slices[0].value = b"MIG-a"
    nvml.device(1).slices[1].value = b"MIG-b"
    assert [gpu.uuid for gpu in find_gpus(visible, count).gpus] == [f"GPU-{i:08x}-fake" for i in expected]
