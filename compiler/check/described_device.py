"""The power limits of a described device are in order: idle, lowest cap, default, highest cap.

A device draws less without work than under its lowest cap, and its default limit is one that it can be set to.

Bad:

    cluster:
      gpu:
        {name: X1, memory: 24 GiB, peak: {bf16: 71 TFLOPS}, bandwidth: 936 GB/s,
         power: {lowest: 350 W, default: 100 W, highest: 350 W, idle: 20 W}}

Good:

    cluster:
      gpu:
        {name: X1, memory: 24 GiB, peak: {bf16: 71 TFLOPS}, bandwidth: 936 GB/s,
         power: {lowest: 100 W, default: 350 W, highest: 350 W, idle: 20 W}}
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ...spec.gpu_description import GpuDescription
from ...spec.quantity import POWER
from ..load import Loaded
from .finding import Finding

CODE = "TW334"
_ORDER = ("idle", "lowest", "default", "highest")


def check(loaded: Loaded) -> Iterator[Finding]:
    """Limits out of order."""
    device = loaded.spec.cluster.gpu
    if not isinstance(device, GpuDescription) or device.power is None:
        return
    for low, high in pairwise(_ORDER):
        below, above = getattr(device.power, low), getattr(device.power, high)
        if below > above or (low == "idle" and below == above):
            message = f"`{low}` is {POWER.text(below)}, and `{high}` is {POWER.text(above)}"
            yield Finding(f"cluster.gpu.power.{low}", message, "Write idle < lowest <= default <= highest.")
