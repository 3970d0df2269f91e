"""A bandwidth per GPU is not larger than any network port.

The fastest port that one device can have is 800 Gbps; a larger figure is usually the rate of a whole node, and would
make every prediction too good by the number of devices in it.

Bad:

    cluster: {preset: meta-rsc, interconnect: {bandwidth_per_gpu: 1600 Gbps}}

Good:

    cluster: {preset: meta-rsc, interconnect: {bandwidth_per_gpu: null, bandwidth_per_node: 1600 Gbps}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ...spec.quantity import BANDWIDTH
from ..load import Loaded
from .finding import Finding

CODE = "TW404"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A rate per GPU that looks like the rate of a node."""
    rate, fastest = loaded.spec.cluster.interconnect.bandwidth_per_gpu, figures("sanity")["fastest_port"]
    if rate is not None and rate * 8 > fastest * 1e9:
        message = f"{BANDWIDTH.text(rate)} is more than the fastest port, {fastest} Gbps"
        remedy = "If it is the rate of a node, write `bandwidth_per_node`; if it was GB/s, check the unit."
        yield Finding("cluster.interconnect.bandwidth_per_gpu", message, remedy)
