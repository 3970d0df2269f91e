"""The network between nodes is known: a kind, and one bandwidth, per GPU or per node.

The two bandwidths differ by the number of devices in a node, so exactly one is given, in its own field. Several nodes
need a network; one node needs none.

Bad:

    cluster: {gpu: A100-SXM4-80GB, gpus: 64, gpus_per_node: 8, interconnect: {kind: roce}}

Good:

    cluster: {gpu: A100-SXM4-80GB, gpus: 64, gpus_per_node: 8, interconnect: {kind: roce, bandwidth_per_gpu: 200 Gbps}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW310"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A network without kind or bandwidth, or with two bandwidths."""
    cluster = loaded.spec.cluster
    network = cluster.interconnect
    given = [rate for rate in (network.bandwidth_per_gpu, network.bandwidth_per_node) if rate is not None]
    if len(given) == 2:
        message = "bandwidth_per_gpu and bandwidth_per_node are both given"
        yield Finding("cluster.interconnect", message, "Keep the one that you know; the other follows from it.")
    if cluster.nodes > 1 and network.kind == "none":
        message = f"{cluster.nodes} nodes without a network between them"
        yield Finding(
            "cluster.interconnect", message, "Write for example {kind: infiniband, bandwidth_per_gpu: 200 Gbps}."
        )
    elif cluster.nodes > 1 and not given:
        message = f"the bandwidth of the {network.kind} network is missing"
        yield Finding("cluster.interconnect", message, "Add `bandwidth_per_gpu: 200 Gbps` or `bandwidth_per_node`.")
