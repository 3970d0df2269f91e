"""The device is one that the facts know, named so that it can mean no other, or one that the spec describes.

Memory, peak arithmetic, power range and links of a device come from a table with sources; for a device that is not in
it nothing can be estimated, and another device's numbers are never used instead. A name like `A100` means several that
differ in memory and power, so it is answered with all of them. What the table lacks is described as a mapping, and its
figures are then marked as yours in every output.

Bad:

    cluster: {preset: meta-rsc, gpu: A100}

Good:

    cluster: {preset: meta-rsc, gpu: A100-SXM4-80GB}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ...spec.facts import facts
from ...spec.gpu_description import GpuDescription
from ...spec.hardware import gpu_names, gpus_called
from ..load import Loaded
from .finding import Finding

CODE = "TW209"
_DESCRIBE = "Or describe it: `gpu: {name: ..., memory: 24 GiB, peak: {bf16: 71 TFLOPS}, bandwidth: 936 GB/s}`."


def check(loaded: Loaded) -> Iterator[Finding]:
    """A device without facts, or a name of several."""
    named = loaded.spec.cluster.gpu
    if isinstance(named, GpuDescription):
        if not any(rate for _, rate in named.peak):
            yield Finding("cluster.gpu.peak", f"`peak` of {named.name} has no precision", "Write `{bf16: 71 TFLOPS}`.")
    elif not is_known(named):
        yield _unknown(named)


def _unknown(name: str) -> Finding:
    several = gpus_called(name)
    reason = next((why for start, why in facts("gpus")["refused"].items() if name.lower().startswith(start)), None)
    if len(several) > 1:
        return Finding("cluster.gpu", f"{name!r} may mean several devices", f"Write one of {', '.join(several)}.")
    if reason:
        remedy = f"To plan and estimate only, describe it. {_DESCRIBE.removeprefix('Or describe it: ')}"
        return Finding("cluster.gpu", f"{name!r} is {reason}", remedy)
    near = several or difflib.get_close_matches(name.upper(), gpu_names(), n=3, cutoff=0.4)
    known = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(gpu_names())}."
    return Finding("cluster.gpu", f"there is no device {name!r} in the facts", f"{known} {_DESCRIBE}")


def is_known(named: str | GpuDescription) -> bool:
    """Whether a device is one of the facts and no other, or described; other rules leave the rest to this."""
    if isinstance(named, GpuDescription):
        return any(rate for _, rate in named.peak)
    table = facts("gpus")
    return named in table["devices"] or (named in table["aliases"] and len(gpus_called(named)) <= 1)
