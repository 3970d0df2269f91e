"""Target `local`: this machine, through torchrun."""

from __future__ import annotations

from ...spec.problem import InputError
from .inputs import RenderInputs
from .node_script import node_script
from .shell import script


def files(unit: RenderInputs) -> dict[str, str]:
    """launch.sh and node.sh. Raises InputError when the cluster has more than one node."""
    if unit.nodes > 1:
        message = f"target local is one machine and the cluster has {unit.nodes} nodes"
        remedy = "write launch: {target: slurm}, or ssh with hosts, or kubernetes"
        raise InputError.one("TW621", message, remedy, "launch.target")
    return {"launch.sh": script("local.launch.sh.j2", name=unit.plan.name), "node.sh": node_script(unit)}
