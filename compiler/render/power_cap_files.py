"""Files of the power cap that an administrator installs, by mode.

`sudo` is part of node.sh, `site-flag` of the batch script; `assume-set` needs nothing. In every mode the run reads the
enforced limit back and reports it.
"""

from __future__ import annotations

from typing import Any

from .inputs import RenderInputs
from .shell import script


def prolog_files(unit: RenderInputs) -> dict[str, str]:
    """Slurm prolog and epilog that set and take back the cap that a job's comment asks for."""
    device = unit.plan.device
    if device.power_cap_watts is None or device.power_cap_mode != "prolog-file":
        return {}
    return {
        "power-cap.prolog.sh": script("power-cap.prolog.sh.j2"),
        "power-cap.epilog.sh": script("power-cap.epilog.sh.j2"),
    }


# The label of nodes that hold a cap: an administrator sets it, the DaemonSet and the run's pods select by it.
CAP_LABEL = "trainwright/power-cap"
_HOLD = """\
set -u
restore() {
  nvidia-smi --query-gpu=index,power.default_limit --format=csv,noheader,nounits |
    while IFS=', ' read -r device watts; do nvidia-smi --id="$device" --power-limit="${watts%.*}"; done
  exit 0
}
trap restore TERM
while :; do
  nvidia-smi --power-limit="$WATTS"
  sleep 60 & wait $!
done
"""


def node_selector(unit: RenderInputs) -> dict[str, str]:
    """Nodes that the run's pods may use: all, or those whose cap the DaemonSet holds."""
    device = unit.plan.device
    if device.power_cap_watts is None or device.power_cap_mode != "daemonset":
        return {}
    return {CAP_LABEL: str(round(device.power_cap_watts))}


def daemonset(unit: RenderInputs, metadata: dict[str, Any]) -> dict[str, Any]:
    """A DaemonSet that holds the cap on labelled nodes while it exists, and restores the old one when it is deleted."""
    labels = {"app.kubernetes.io/name": metadata["name"]}
    environment = {"WATTS": node_selector(unit)[CAP_LABEL], "NVIDIA_VISIBLE_DEVICES": "all"}
    container = {
        "name": "power-cap",
        "image": unit.spec.launch.container.image if unit.spec.launch.container else None,
        "command": ["bash", "-c", _HOLD],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "securityContext": {"privileged": True},  # the driver lets nobody else set a limit
    }
    pod = {
        "nodeSelector": node_selector(unit),
        "containers": [container],
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    }
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}
