"""The device can compute in the precision that is asked for.

V100 and T4 have no bf16; emulating it would be slow and is never what was meant.

Bad:

    cluster: {gpu: V100-SXM2-32GB, gpus: 8, gpus_per_node: 8}
    training: {precision: bf16}

Good:

    cluster: {gpu: V100-SXM2-32GB, gpus: 8, gpus_per_node: 8}
    training: {precision: fp16}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.hardware import gpu
from ..load import Loaded
from .device import is_known
from .finding import Finding

CODE = "TW311"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A precision that the device lacks."""
    name, precision = loaded.spec.cluster.gpu, loaded.spec.training.precision
    if not is_known(name) or loaded.spec.cluster.on_cpu or precision in gpu(name).flops:
        return
    known = [p for p in ("bf16", "fp16", "fp32") if p in gpu(name).flops]
    yield Finding(
        "training.precision", f"{gpu(name).name} has no {precision} arithmetic", f"It has {', '.join(known)}."
    )
