"""RAPL metering against a fake powercap folder."""

from __future__ import annotations

import pytest

from trainwright.runtime.energy import open_meter, rapl
from trainwright.runtime.energy.rapl import packages
from trainwright.runtime.energy.sampler import SampledMeter

RANGE = 262_143_328_850  # microjoules, as real packages have


class Zone:
    """A folder of powercap."""

    def __init__(self, root, folder, name, energy=5_000_000):
        self.path = root / folder
        self.path.mkdir(parents=True)
        (self.path / "name").write_text(f"{name}\n")
        (self.path / "max_energy_range_uj").write_text(f"{RANGE}\n")
        self.energy = energy
        self.add(0)

    def add(self, joules):
        """Use energy; the counter wraps as the real one does."""
        self.energy = (self.energy + round(joules * 1e6)) % RANGE
        (self.path / "energy_uj").write_text(f"{self.energy}\n")


@pytest.fixture
def powercap(tmp_path):
    """Two packages, and everything that must not be added to them."""
    first = Zone(tmp_path, "intel-rapl:0", "package-0")
    second = Zone(tmp_path, "intel-rapl:1", "package-1", RANGE - 30_000_000)
    Zone(tmp_path, "intel-rapl:0:0", "core")
    Zone(tmp_path, "intel-rapl:0:1", "dram")
    Zone(tmp_path, "intel-rapl:2", "psys")
    Zone(tmp_path, "intel-rapl-mmio:0", "package-0")
    (tmp_path / "intel-rapl").mkdir()
    return tmp_path, first, second


def test_only_packages_count(powercap):
    """Subzones, psys and the second view of a package are left out: energy is counted once."""
    assert [probe.device for probe in packages(powercap[0])] == ["package-0", "package-1"]


def test_energy_across_a_wrap(powercap, clock):
    """The energy is the true one, also where a counter wraps."""
    root, first, second = powercap
    meter = SampledMeter("rapl", packages(root), clock=clock)
    meter.sample()
    for _ in range(60):
        clock.now += 1
        first.add(80)
        second.add(120)
        meter.sample()
    assert second.energy < RANGE / 2
    assert meter.read().watts == pytest.approx(200)
    reading = meter.close()
    assert reading.joules == pytest.approx(60 * 200)
    assert (reading.covered_seconds, reading.uncovered_seconds) == (120, 0)
    assert meter.events() == []


def test_span_that_may_hide_wraps_is_a_gap(powercap, clock):
    """When nobody looked for so long that the counter may have wrapped more than once, the span is a gap."""
    root, first, second = powercap
    meter = SampledMeter("rapl", packages(root), clock=clock)
    meter.sample()
    clock.now += 3600
    first.add(3600 * 80)
    second.add(10)
    meter.sample()
    meter.close()
    gaps = meter.events()
    reason = "the energy counter may have wrapped more than once"
    assert {gap.device: gap.reason for gap in gaps} == {"package-0": reason, "package-1": reason}
    assert [gap.end - gap.start for gap in gaps] == [3600, 3600]


def test_unreadable_for_a_while(powercap, clock):
    """A counter that cannot be read, or holds no number, for a while went on counting."""
    root, first, second = powercap
    meter = SampledMeter("rapl", packages(root), clock=clock)
    meter.sample()
    for content in ("", "garbage", None):
        clock.now += 5
        first.add(400)
        (first.path / "energy_uj").unlink() if content is None else (first.path / "energy_uj").write_text(content)
        meter.sample()
    clock.now += 5
    first.add(400)
    meter.sample()
    second.add(0)
    reading = meter.close()
    assert reading.joules == pytest.approx(1600)


def test_no_permission(powercap, device_plan, monkeypatch):
    """Counters that this user may not read are no meter: the assumed power is used, and says so."""
    root, first, second = powercap
    monkeypatch.setattr(rapl, "POWERCAP", root)
    meter = open_meter(device_plan("cpu", assumed_watts=65), 0)
    assert meter.source == "rapl"
    meter.close()
    for zone in (first, second):
        (zone.path / "energy_uj").unlink()
        (zone.path / "energy_uj").mkdir()  # root may read anything, but not a folder
    assert open_meter(device_plan("cpu", assumed_watts=65), 0).source == "assumed"
