"""The pod of a Kubernetes run: image, devices, shared memory, RDMA, volumes, secrets by reference, time to save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .inputs import RenderInputs
from .power_cap_files import node_selector

BUNDLE = "/trainwright/bundle"
WORK = "/work"  # where the volume claim is mounted: the project folder
GRACE_SECONDS = 600  # between the request to stop and the kill: a large checkpoint must fit
GPU_TAINT = "nvidia.com/gpu"  # how clusters keep other pods off their GPU nodes
EFA_HUGE_PAGES = "5120Mi"  # libfabric's EFA provider (awsome-distributed-training, efa-cheatsheet)


def pod(
    unit: RenderInputs,
    command: Sequence[str],
    *,
    config_map: str | None = None,
    devices: bool = True,
    stop_file: str | None = None,
) -> dict[str, Any]:
    """A pod spec that runs `command`; with `devices` on a whole node's, with `stop_file` it saves when evicted.

    With `config_map` it has the bundle that this holds.
    """
    launch = unit.spec.launch
    own = launch.kubernetes
    bundle = {"name": "bundle", "configMap": {"name": config_map, "defaultMode": 0o555}}
    container: dict[str, Any] = {
        "name": "node",  # Kubeflow Trainer looks for this name
        "image": launch.container.image if launch.container else None,
        "command": list(command),
        "env": _environment(unit),
        "volumeMounts": [
            *([{"name": "bundle", "mountPath": BUNDLE, "readOnly": True}] if config_map else []),
            {"name": "work", "mountPath": WORK},
            {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108 - a mount point in the pod
        ],
    }
    if devices:
        container |= _devices(unit)
    if stop_file:
        # Kubernetes signals only the first process of a container; the stop file reaches the run.
        container["lifecycle"] = {"preStop": {"exec": {"command": ["touch", stop_file]}}}
    selected = own.node_selector | (node_selector(unit) if devices else {})
    return {
        **({"nodeSelector": selected} if selected else {}),
        **({"priorityClassName": own.priority_class} if own.priority_class else {}),
        "restartPolicy": "Never",  # a rank alone cannot come back: the Job starts all again
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "containers": [container],
        "tolerations": [
            {"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in (GPU_TAINT, *own.tolerations)
        ],
        "volumes": [
            *([bundle] if config_map else []),
            {"name": "work", "persistentVolumeClaim": {"claimName": launch.volume_claim}},
            {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": binary_size(own.shared_memory)}},
        ],
    }


def preparing_pod(unit: RenderInputs, command: Sequence[str], *, config_map: str, job: str) -> dict[str, Any]:
    """A pod spec that prepares data: no devices, the cores and memory that it is given, and a node of its own."""
    own = unit.spec.launch.kubernetes.prepare
    spec = pod(unit, command, config_map=config_map, devices=False)
    if own.nodes > 1:
        alike = {"labelSelector": {"matchLabels": {"job-name": job}}, "topologyKey": "kubernetes.io/hostname"}
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [alike]}}
    taken = {"cpu": own.cpus, "memory": None if own.mem is None else binary_size(own.mem)}
    if requests := {name: value for name, value in taken.items() if value is not None}:
        spec["containers"][0]["resources"] = {"requests": requests}
    return spec


def binary_size(size: int) -> str:
    """Bytes as Kubernetes writes them: in the largest binary unit that loses nothing."""
    for unit, factor in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def _environment(unit: RenderInputs) -> list[dict[str, Any]]:
    """Names of secrets and where their values are; a value is never written down."""
    secret = f"{unit.plan.name.replace('.', '-')}-secrets"
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}}
        for name in unit.spec.launch.secrets
    ]


def _devices(unit: RenderInputs) -> dict[str, Any]:
    launch, device = unit.spec.launch, unit.plan.device
    resources: dict[str, Any] = {}
    if device.kind == "cuda":
        resources["nvidia.com/gpu"] = device.per_node
    if launch.rdma_resource:
        resources[launch.rdma_resource] = launch.rdma_devices or device.per_node
    requests: dict[str, Any] = {}
    if device.interconnect == "efa":
        resources["hugepages-2Mi"] = EFA_HUGE_PAGES
        # Huge pages may only be asked for with memory or processors; a limit of memory would kill ranks at it.
        requests["cpu"] = 1
    requests |= resources
    taken: dict[str, Any] = {"resources": {"requests": requests, "limits": resources}} if resources else {}
    if launch.rdma_resource:
        # RDMA pins the memory that it reads and writes.
        taken["securityContext"] = {"capabilities": {"add": ["IPC_LOCK"]}}
    return taken
