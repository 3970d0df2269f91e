"""Tensor-parallel and sequence-parallel ranks share a node, also where both are used.

They exchange activations several times a layer; over NVLink that is cheap, over the network between nodes it takes
most of the step. The planner never makes such a layout.

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
    """Groups that cross nodes: of either kind, or of both together."""
    parallel, cluster = loaded.spec.parallel, loaded.spec.cluster
    node = min(cluster.gpus, cluster.gpus_per_node)
    asked = {name: getattr(parallel, name) or 1 for name in ("tensor", "sequence")}
    crossing = {name: ranks for name, ranks in asked.items() if node % ranks}
    for name, ranks in crossing.items():
        message = f"groups of {ranks} {name}-parallel ranks do not stay within nodes of {node}"
        yield Finding(f"parallel.{name}", message, f"Nearest that work: {nearest_divisors(node, ranks)}.")
    together = asked["tensor"] * asked["sequence"]
    if not crossing and node % together:
        message = f"tensor {asked['tensor']} x sequence {asked['sequence']} ranks do not stay within nodes of {node}"
        remedy = f"Nearest that work: {nearest_divisors(node // asked['tensor'], asked['sequence'])}."
        yield Finding("parallel.sequence", message, remedy)
