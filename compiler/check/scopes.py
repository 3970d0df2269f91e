"""The wider scopes are counted only where figures for them are known.

What host, network and manufacture add is published for servers with GPUs. For a machine that trains on its processors
there is no such figure, and another machine's would be wrong by an order of magnitude.

Bad:

    cluster: local-cpu
    carbon: {pue: 1.1, region: fr, scopes: {embodied: true}}

Good:

    cluster: local-cpu
    carbon: {pue: 1.1, region: fr}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW318"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Scopes asked for on a cluster of CPUs."""
    if not loaded.spec.cluster.on_cpu:
        return
    for scope, counted in loaded.spec.carbon.scopes.model_dump().items():
        if counted:
            message = f"what `{scope}` adds to a cluster of CPUs is unknown"
            yield Finding(f"carbon.scopes.{scope}", message, f"Leave `{scope}` out.")
