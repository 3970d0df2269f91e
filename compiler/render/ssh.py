"""Target `ssh`: node.sh on every host, through ssh or pdsh, on folders that all hosts share under one path.

`starter: deepspeed` puts DeepSpeed's launcher in the place of trainwright's on each host. What reaches them does not:
DeepSpeed's own pdsh has values between double quotes, where the host's shell executes them, and kills by name.
"""

from __future__ import annotations

from ...spec.problem import MissedRuleError
from .inputs import RenderInputs
from .node_script import node_script
from .shell import script


def files(unit: RenderInputs) -> dict[str, str]:
    """launch.sh, nodes.sh, node.sh and the hostfile."""
    hosts = unit.spec.launch.hosts
    if len(set(hosts)) != unit.nodes or len(hosts) != unit.nodes:
        raise MissedRuleError("TW314", f"{len(hosts)} hosts for {unit.nodes} nodes")
    launch = unit.spec.launch
    values = {"name": unit.plan.name, "hosts": hosts, "secrets": launch.secrets, "starter": launch.starter}
    return {
        "launch.sh": script("ssh.launch.sh.j2", **values),
        "nodes.sh": script("ssh.nodes.sh.j2", **values),
        **({"host.sh": script("ssh.host.sh.j2")} if launch.starter == "pdsh" else {}),
        "prepare.sh": script(
            "prepare.sh.j2", setup=bool(launch.setup), starter="nodes.sh", admits=False, workers=len(hosts)
        ),
        "node.sh": node_script(unit),
        # MPI's and DeepSpeed's form: read by DeepSpeed's launcher, and for tools that want one.
        "hostfile": "".join(f"{host} slots={unit.plan.device.per_node}\n" for host in hosts),
    }
