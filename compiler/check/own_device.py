"""The figures of a described device are yours, and every output says so beside its name.

Predictions for it rest on no measurement: what share of its peak training reaches is assumed, or that of the `family`
you name, and the ranges are wider.

Bad:

    cluster:
      gpu: {name: H100-SXM5-80GB, memory: 80 GiB, peak: {bf16: 989 TFLOPS}, bandwidth: 3.35 TB/s}

Good:

    cluster: {gpu: H100-SXM5-80GB}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.gpu_description import GpuDescription
from ...spec.hardware import gpu, gpus_called
from ..load import Loaded
from .device import is_known
from .finding import Finding

CODE = "TW504"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A device that the spec describes."""
    device = loaded.spec.cluster.gpu
    if isinstance(device, GpuDescription) and is_known(device):
        known = gpus_called(device.name)
        missing = [f"`{name}`" for name in ("best_matmul", "family") if name not in device.model_fields_set]
        help_ = f"Give {' and '.join(missing)} where known." if missing else ""
        help_ = f"The table has {' and '.join(known)}." if known else help_
        yield Finding("cluster.gpu", f"the figures of {gpu(device).name} are the spec's own, not the table's", help_)
