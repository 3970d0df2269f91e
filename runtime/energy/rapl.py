"""CPU packages through Linux's powercap files: RAPL of Intel and of AMD, which shows up under the same names.

Only packages are read. Their subzones (core, uncore) are parts of them, `psys` contains them, and
`intel-rapl-mmio` shows the same package a second time: adding any of these would count energy twice.
DRAM is no part of a server's package and is left out.
"""

from __future__ import annotations

from pathlib import Path

from ...spec.facts import figures
from .device_energy import InstrumentLimits

POWERCAP = Path("/sys/class/powercap")
SHORTEST_WRAP: float = figures("metering")["shortest_wrap"]  # seconds: no package's counter wraps faster
MICRO = 1e-6


class PackageProbe:
    """One CPU package."""

    def __init__(self, zone: Path) -> None:
        self._counter = zone / "energy_uj"
        self.device = (zone / "name").read_text().strip()
        modulus = int((zone / "max_energy_range_uj").read_text()) * MICRO
        self.limits = InstrumentLimits(modulus / SHORTEST_WRAP, modulus)

    def sample(self) -> tuple[float | None, float | None, str]:
        """Energy counter in joules; a package shows no power."""
        try:
            return int(self._counter.read_text()) * MICRO, None, ""
        except (OSError, ValueError) as error:
            return None, None, f"RAPL: {error}"


def packages(root: Path) -> list[PackageProbe]:
    """The packages whose counters this user may read; [] where there are none."""
    probes: dict[str, PackageProbe] = {}
    for zone in sorted(root.glob("intel-rapl:*")):
        try:
            probe = PackageProbe(zone)
        except (OSError, ValueError):
            continue
        if probe.device.startswith("package-") and probe.sample()[0] is not None:
            probes.setdefault(probe.device, probe)
    return list(probes.values())
