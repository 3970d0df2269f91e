"""The power cap lies within what the device allows.

Drivers refuse a limit outside the range of the device (`nvidia-smi -q -d POWER`), and a CPU has no such limit here. A
cap that is not applied would make the emissions table wrong, since it counts with the cap.

Bad:

    cluster: {preset: meta-rsc, power_cap: 500 W}

Good:

    cluster: {preset: meta-rsc, power_cap: 350 W}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.hardware import gpu
from ...spec.quantity import POWER
from ..load import Loaded
from .device import is_known
from .finding import Finding

CODE = "TW309"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A cap that the device would refuse."""
    cluster = loaded.spec.cluster
    cap = cluster.power_cap
    if cap is None or not is_known(cluster.gpu):
        return
    device = gpu(cluster.gpu)
    limits = device.power
    if limits is None:
        message = f"{device.name} has no power limit that can be set"
        yield Finding("cluster.power_cap", message, "Leave `power_cap` out; give `device_power` to count its energy.")
    elif limits.lowest <= limits.highest and not limits.lowest <= cap <= limits.highest:
        message = f"{device.name} takes a cap from {limits.lowest:g} W to {limits.highest:g} W, not {POWER.text(cap)}"
        nearest = limits.lowest if cap < limits.lowest else limits.highest
        yield Finding("cluster.power_cap", message, f"The nearest that works is {nearest:g} W.")
