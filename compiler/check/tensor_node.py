"""Tensor-parallel or sequence-parallel ranks share a node, and only one of the two is used.

They exchange activations several times a layer; over NVLink that is cheap, over the network between nodes it takes
most of the step. The planner never makes such a layout, and the runtime has no mesh of both kinds.

Bad:

    cluster: {preset: meta-rsc, gpus: 64}
    parallel: {tensor: 16}

Good:

    cluster: {preset: meta-rsc, gpus: 64}
    parallel: {tensor: 8}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding
from .numbers import nearest_divisors

CODE = "TW316"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Groups that cross nodes, and groups of both kinds."""
    parallel, cluster = loaded.spec.parallel, loaded.spec.cluster
    node = min(cluster.gpus, cluster.gpus_per_node)
    for name in ("tensor", "sequence"):
        ranks = getattr(parallel, name) or 1
        if node % ranks:
            message = f"groups of {ranks} {name}-parallel ranks do not stay within nodes of {node}"
            yield Finding(f"parallel.{name}", message, f"Nearest that work: {nearest_divisors(node, ranks)}.")
    if (parallel.tensor or 1) > 1 and (parallel.sequence or 1) > 1:
        message = "tensor and sequence parallelism are both used"
        yield Finding("parallel.sequence", message, "Set one of the two to 1.")
