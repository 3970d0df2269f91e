"""The launch target has what it needs.

ssh needs one host a node; Kubernetes needs a container image and a volume; a local launch is one machine.

Bad:

    cluster: {preset: meta-rsc, gpus: 16}
    launch: {target: ssh, hosts: [node-1]}

Good:

    cluster: {preset: meta-rsc, gpus: 16}
    launch: {target: ssh, hosts: [node-1, node-2]}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW314"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A target that could not start the run."""
    launch, nodes = loaded.spec.launch, loaded.spec.cluster.nodes
    if launch.target == "ssh" and not len(launch.hosts) == len(set(launch.hosts)) == nodes:
        twice = "" if len(launch.hosts) == len(set(launch.hosts)) else " (not all different)"
        message = f"{len(launch.hosts)} hosts{twice} for {nodes} nodes"
        yield Finding("launch.hosts", message, "List each node once.")
    if launch.target == "kubernetes" and None in (launch.container, launch.volume_claim):
        message = "kubernetes needs a container image, and a volume that the pods share for data and runs"
        yield Finding("launch", message, "Add `container: registry/image:tag` and `volume_claim: name`.")
    if launch.target == "local" and nodes > 1:
        message = f"`target: local` starts one machine, and the cluster has {nodes} nodes"
        yield Finding("launch.target", message, "Write `slurm`, `ssh` or `kubernetes`.")
