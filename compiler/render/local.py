"""Target `local`: this machine."""

from __future__ import annotations

from ...spec.problem import MissedRuleError
from .inputs import RenderInputs
from .node_script import node_script
from .shell import script


def files(unit: RenderInputs) -> dict[str, str]:
    """launch.sh and node.sh."""
    if unit.nodes > 1:
        raise MissedRuleError("TW314", f"the target `local` is one machine, and the cluster has {unit.nodes} nodes")
    return {"launch.sh": script("local.launch.sh.j2", name=unit.plan.name), "node.sh": node_script(unit)}
