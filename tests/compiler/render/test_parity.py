"""What a site asks for reaches every process and every pod, whatever starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle

CASES = Path(__file__).parents[2] / "golden" / "cases"
SITE = ("launch.setup=[module load cuda]", "launch.environment={HF_HOME: /scratch/hf}")
# Where a node starts Python; what starts these scripts only submits or connects.
SCRIPTS = {
    "ssh-ethernet": ("prepare.sh", "node.sh"),
    "slurm-prolog": ("prepare.sbatch", "node.sh"),
    "kubernetes-jobset": ("prepare.sh", "node.sh"),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_setup_and_environment_come_before_python(case: str) -> None:
    """Every script of a node reads the site's lines, then the variables, then starts Python."""
    files = compile_bundle(load(CASES / f"{case}.yaml", SITE))
    assert "module load cuda" in files["setup.sh"]
    assert "HF_HOME=/scratch/hf" in files["env.sh"]
    for name in SCRIPTS[case]:
        setup, environment, python = map(files[name].index, ("/setup.sh", "/env.sh", "-m trainwright.runtime"))
        assert setup < environment < python


@pytest.mark.parametrize("workload", ["job", "jobset", "trainjob"])
def test_every_pod_gets_what_the_cluster_asks_for(workload: str) -> None:
    """Image, labels of nodes, taints, priority, shared memory in each pod; the queue in each job that is admitted."""
    asked = (
        "launch.kubernetes={node_selector: {zone: a}, tolerations: [dedicated], priority_class: research, "
        "local_queue: llm, shared_memory: 64 GiB, prepare: {nodes: 3}}"
    )
    files = compile_bundle(load(CASES / f"kubernetes-{workload}.yaml", (asked, "launch.container=registry/image:1")))
    parts = [part for name in files if name.startswith("k8s") for part in yaml.safe_load_all(files[name])]
    parts = [part for part in parts if part["kind"] not in ("ConfigMap", "Service", "DaemonSet")]
    pods = [pod for part in parts for pod in found(part, "containers")]
    assert len(pods) == 4  # start, units, close, training
    for pod in pods:
        assert pod["nodeSelector"]["zone"] == "a"
        assert {"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
        assert (pod["priorityClassName"], pod["containers"][0]["image"]) == ("research", "registry/image:1")
        assert {"medium": "Memory", "sizeLimit": "64Gi"} in [volume.get("emptyDir") for volume in pod["volumes"]]
    admitted = [part for part in parts if part["kind"] != "TrainingRuntime"]
    assert {part["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] for part in admitted} == {"llm"}


def found(value: Any, key: str) -> list[dict[str, Any]]:
    """The mappings inside a value that have this key."""
    if isinstance(value, list):
        return [inner for item in value for inner in found(item, key)]
    if not isinstance(value, dict):
        return []
    return [value] if key in value else [inner for item in value.values() for inner in found(item, key)]
