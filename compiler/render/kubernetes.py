"""Target `kubernetes`: built as objects and dumped, never templated, so that no value can become structure.

A plain Indexed Job with a headless Service needs nothing installed in the cluster. Where JobSet or Kubeflow Trainer
are, `launch.workload` asks for a JobSet, or for a TrainJob with its own TrainingRuntime (so that no override API is
needed, which changed in 2.0, 2.1 and 2.2). The bundle travels as a ConfigMap to the pod that prepares. That puts a copy
into the run folder if the run may go ahead, and training pods read the copy. Data and runs are on the volume claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...spec.exit_codes import FINAL, Exit
from ...spec.problem import MissedRuleError
from .inputs import RenderInputs
from .node_script import node_script
from .pod import BUNDLE, WORK, pod, preparing_pod
from .power_cap_files import daemonset, node_selector
from .shell import script
from .yaml_text import yaml_text

PORT = 29500  # torch's own default; pods have addresses of their own
RESTARTS = 10  # of the whole run, after lost pods and pre-emptions
LONGEST_NAME = 50  # a pod's host name is the job's and an index, in 63 characters
Object = dict[str, Any]


def files(unit: RenderInputs) -> dict[str, str]:
    """launch.sh, node.sh and power-cap objects; the objects that hold other files come from `objects`."""
    if unit.spec.launch.volume_claim is None or unit.spec.launch.container is None:
        raise MissedRuleError("TW314", "kubernetes needs an image and a volume that all pods share")
    values = {
        "name": unit.plan.name,
        "job": job_name(unit),
        "namespace": namespace(unit),
        "kind": _KINDS[_workload(unit)],
        "nodes": unit.nodes,
        "held": bool(node_selector(unit)),
        "workers": _workers(unit),
        "steps": [step for step, _ in _steps(unit)],
    }
    return {
        "launch.sh": script("kubernetes.launch.sh.j2", **values),
        "node.sh": node_script(unit),
        **_prepare_script(unit),
    }


def _prepare_script(unit: RenderInputs) -> dict[str, str]:
    values = {"setup": bool(unit.spec.launch.setup), "workers": _workers(unit), "admits": True}
    return {"prepare.sh": script("prepare.sh.j2", starter="the jobs that prepare", **values)}


def _workers(unit: RenderInputs) -> int:
    return unit.spec.launch.kubernetes.prepare.nodes


def _steps(unit: RenderInputs) -> list[tuple[str, tuple[str, ...]]]:
    """The jobs that prepare, one after another, and the words that prepare.sh is given."""
    if _workers(unit) == 1:
        return [("prepare", ())]
    return [("prepare", ("start",)), ("units", ("units", "$(JOB_COMPLETION_INDEX)")), ("close", ("close",))]


def objects(unit: RenderInputs, bundle: Mapping[str, str]) -> dict[str, str]:
    """k8s-prepare.yaml and what follows on it, and k8s.yaml; `bundle` holds the files that the pods read."""
    build = {"job": _job, "jobset": _jobset, "trainjob": _trainjob}[_workload(unit)]
    held = node_selector(unit)
    (step, words), *more = _steps(unit)
    first = _prepare(unit, step, words)
    return {
        **({"k8s-power-cap.yaml": yaml_text([daemonset(unit, _meta(unit, "-power-cap"))])} if held else {}),
        "k8s-prepare.yaml": yaml_text([_config_map(unit, bundle), first]),
        **{f"k8s-{step}.yaml": yaml_text([_prepare(unit, step, words)]) for step, words in more},
        "k8s.yaml": yaml_text(build(unit)),
    }


_KINDS = {"job": "job.batch", "jobset": "jobset", "trainjob": "trainjob"}


def _workload(unit: RenderInputs) -> str:
    return unit.spec.launch.workload


def job_name(unit: RenderInputs) -> str:
    """The run's name as a label of DNS (RFC 1035: a letter first), which pods' host names are made of."""
    label = unit.plan.name.replace(".", "-")[:LONGEST_NAME].strip("-")
    return label if label[0].isalpha() else f"run-{label}"


def namespace(unit: RenderInputs) -> str:
    """Where the objects live."""
    return unit.spec.launch.namespace or "default"


def _meta(unit: RenderInputs, suffix: str = "") -> Object:
    labels = {"app.kubernetes.io/managed-by": "trainwright", "trainwright/run": job_name(unit)}
    return {"name": job_name(unit) + suffix, "namespace": namespace(unit), "labels": labels}


def _workload_meta(unit: RenderInputs, suffix: str = "") -> Object:
    """The metadata of what Kueue admits: the job itself, never its pods."""
    meta, queue = _meta(unit, suffix), unit.spec.launch.kubernetes.local_queue
    return meta if queue is None else meta | {"labels": meta["labels"] | {"kueue.x-k8s.io/queue-name": queue}}


def _config_map(unit: RenderInputs, bundle: Mapping[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(unit, "-bundle"), "data": dict(bundle)}


def _run(unit: RenderInputs) -> str:
    return f"{WORK}/runs/{unit.plan.name}"


def _prepare(unit: RenderInputs, step: str, words: tuple[str, ...]) -> Object:
    """A job that prepares, without the label by which a run's pods are found; `units` is an Indexed Job over nodes."""
    command = ["bash", f"{BUNDLE}/prepare.sh", _run(unit), WORK, *words]
    meta = _workload_meta(unit, f"-{step}")
    template = preparing_pod(unit, command, config_map=job_name(unit) + "-bundle", job=meta["name"])
    workers = _workers(unit)
    each = {"completionMode": "Indexed", "completions": workers, "parallelism": workers} if step == "units" else {}
    spec = each | {"backoffLimit": 2 * workers if each else 2, "template": {"spec": template}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def _training_pod(unit: RenderInputs, rank: str, address: str, port: str) -> Object:
    command = ["bash", f"{_run(unit)}/bundle/node.sh", _run(unit), rank, address, port]
    return pod(unit, command, stop_file=f"{_run(unit)}/stop")


def _attempts(unit: RenderInputs, template: Object, backoff: int) -> Object:
    """The part of a Job's spec that says which pods are started, and when again."""
    rules = [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": sorted(map(int, FINAL - {Exit.DONE}))}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},  # a drained node costs no attempt
    ]
    return {
        "backoffLimit": backoff,
        "podFailurePolicy": {"rules": rules},
        "template": {"metadata": {"labels": _meta(unit)["labels"]}, "spec": template},
    }


def _indexed(unit: RenderInputs, address: str, backoff: int) -> Object:
    """The spec of an Indexed Job, one pod a node."""
    template = _training_pod(unit, "$(JOB_COMPLETION_INDEX)", address, str(PORT))
    each = {"completionMode": "Indexed", "completions": unit.nodes, "parallelism": unit.nodes}
    return each | _attempts(unit, template, backoff)


def _restarts() -> Object:
    """A JobSet's failure policy: all pods together again, unless the end was one that would come again."""
    final = {"name": "final", "action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}
    return {"maxRestarts": RESTARTS, "rules": [final]}


def _job(unit: RenderInputs) -> list[Object]:
    service_spec = {
        "clusterIP": "None",  # headless: every pod has a name of its own
        "publishNotReadyAddresses": True,  # ranks look for each other before any is ready
        "selector": {"job-name": job_name(unit)},
        "ports": [{"name": "rendezvous", "port": PORT}],
    }
    service = {"apiVersion": "v1", "kind": "Service", "metadata": _meta(unit), "spec": service_spec}
    spec = _indexed(unit, f"{job_name(unit)}-0.{job_name(unit)}", RESTARTS * unit.nodes)
    spec["template"]["spec"]["subdomain"] = job_name(unit)
    return [service, {"apiVersion": "batch/v1", "kind": "Job", "metadata": _workload_meta(unit), "spec": spec}]


def _jobset(unit: RenderInputs) -> list[Object]:
    name = job_name(unit)
    replicated = {"name": "node", "replicas": 1, "template": {"spec": _indexed(unit, f"{name}-node-0-0.{name}", 0)}}
    spec = {"failurePolicy": _restarts(), "replicatedJobs": [replicated]}
    return [
        {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": _workload_meta(unit), "spec": spec}
    ]


def _trainjob(unit: RenderInputs) -> list[Object]:
    """A TrainingRuntime that holds everything, and the smallest TrainJob that refers to it."""
    api = "trainer.kubeflow.org/v1alpha1"
    template = _training_pod(unit, "$(PET_NODE_RANK)", "$(PET_MASTER_ADDR)", "$(PET_MASTER_PORT)")
    ancestor = {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}}
    job = {"name": "node", "template": {"metadata": ancestor, "spec": _attempts(unit, template, 0)}}
    jobset = {"spec": {"failurePolicy": _restarts(), "replicatedJobs": [job]}}
    runtime_spec = {"mlPolicy": {"numNodes": unit.nodes, "torch": {}}, "template": jobset}
    reference = {"apiGroup": "trainer.kubeflow.org", "kind": "TrainingRuntime", "name": job_name(unit)}
    # Only here: the runtime's own field for it was taken away in 2.2.
    trainer = {"numNodes": unit.nodes, "numProcPerNode": unit.plan.device.per_node}
    train_spec = {"runtimeRef": reference, "trainer": trainer}
    return [
        {"apiVersion": api, "kind": "TrainingRuntime", "metadata": _meta(unit), "spec": runtime_spec},
        {"apiVersion": api, "kind": "TrainJob", "metadata": _workload_meta(unit), "spec": train_spec},
    ]
