"""node.sh: what happens on each node, whatever starts it."""

from __future__ import annotations

from .inputs import RenderInputs
from .shell import script


def node_script(unit: RenderInputs) -> str:
    """The text of node.sh."""
    device = unit.plan.device
    return script(
        "node.sh.j2",
        name=unit.plan.name,
        nodes=unit.nodes,
        network=unit.nodes > 1 or (device.kind == "cuda" and device.count > 1),
        per_node=device.per_node,
        multi=unit.target != "local",
        deepspeed=unit.target == "ssh" and unit.spec.launch.starter == "deepspeed",
        fresh=unit.target == "kubernetes",
        setup=_sets_up(unit),
        capped=device.kind == "cuda" and device.power_cap_watts is not None,
    )


def _sets_up(unit: RenderInputs) -> bool:
    """Whether node.sh runs the site's setup: under Slurm with a container it ran before, outside of the container."""
    launch = unit.spec.launch
    return bool(launch.setup) and not (unit.target == "slurm" and launch.container is not None)
