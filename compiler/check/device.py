"""The device is one that the facts know.

Memory, peak arithmetic, power range and links of a device come from a table with sources; for a device that is not in
it nothing can be estimated, and another device's numbers are never used instead.

Bad:

    cluster: {preset: meta-rsc, gpu: A100-80GB-SXM}

Good:

    cluster: {preset: meta-rsc, gpu: A100-SXM4-80GB}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ...spec.hardware import gpu, gpu_names
from ...spec.problem import InputError
from ..load import Loaded
from .finding import Finding

CODE = "TW209"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A device without facts."""
    name = loaded.spec.cluster.gpu
    if not is_known(name):
        near = difflib.get_close_matches(name, gpu_names(), n=3, cutoff=0.4)
        known = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(gpu_names())}."
        yield Finding("cluster.gpu", f"there is no device {name!r} in the facts", known)


def is_known(name: str) -> bool:
    """Whether the facts have a device of that name; other rules leave an unknown one to this."""
    try:
        gpu(name)
    except InputError:
        return False
    return True
