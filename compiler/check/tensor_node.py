"""Tensor-parallel ranks share a node.

They exchange activations four times a layer; over NVLink that is cheap, over the network between nodes it takes most
of the step.

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

CODE = "TW404"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Tensor-parallel groups that cross nodes."""
    ranks, cluster = loaded.spec.parallel.tensor or 1, loaded.spec.cluster
    if cluster.nodes > 1 and (ranks > cluster.gpus_per_node or cluster.gpus_per_node % ranks):
        message = f"groups of {ranks} tensor-parallel ranks do not stay within nodes of {cluster.gpus_per_node}"
        yield Finding("parallel.tensor", message, f"Use at most {cluster.gpus_per_node}, and a divisor of it.")
