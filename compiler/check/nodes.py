"""The devices fill whole nodes, or fit on one.

A node that is only partly used breaks the even shape that collectives, hostfiles and Slurm's `--gpus-per-node` need.

Bad:

    cluster: {preset: meta-rsc, gpus: 1020}

Good:

    cluster: {preset: meta-rsc, gpus: 1024}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW305"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A last node that would be partly empty."""
    cluster = loaded.spec.cluster
    per_node = cluster.gpus_per_node
    if cluster.gpus > per_node and cluster.gpus % per_node:
        below = cluster.gpus // per_node * per_node
        message = f"{cluster.gpus} devices do not fill nodes of {per_node}"
        yield Finding("cluster.gpus", message, f"Nearest that work: {below} or {below + per_node}.")
