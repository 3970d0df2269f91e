"""Stage `render`: a compiled spec becomes the text of every file of the bundle. Pure: nothing is read or written."""

from __future__ import annotations

from collections.abc import Mapping

from ...report.formats.markdown import document_markdown
from ...report.tables.estimate import estimate_document
from ...spec.manifest import MANIFEST, manifest
from . import kubernetes, local, slurm, ssh
from .ds_config import deepspeed_config
from .env import environment, setup
from .inputs import RenderInputs
from .json_text import json_text
from .spec_lock import lock_text

TARGETS = {"local": local.files, "ssh": ssh.files, "slurm": slurm.files, "kubernetes": kubernetes.files}


# What the pods of a Kubernetes run read, with a MANIFEST of its own: the bundle's would have to hold its own hash.
FOR_PODS = ("plan.json", "ds_config.json", "env.sh", "setup.sh", "estimate.json", "node.sh", "prepare.sh")


def render(unit: RenderInputs, provenance: Mapping[str, str], about: str) -> dict[str, str]:
    """Names and texts of the bundle's files, MANIFEST included. Raises InputError for what cannot be rendered."""
    files = {
        "plan.json": json_text(unit.plan.model_dump(mode="json")),
        "ds_config.json": json_text(deepspeed_config(unit.plan)),
        "env.sh": environment(unit),
        **setup(unit),
        "estimate.json": json_text(unit.estimate.model_dump(mode="json")),
        "estimate.md": document_markdown(estimate_document(unit.estimate)),
        "spec.lock.yaml": lock_text(unit.spec, unit.plan.layout, provenance),
        **TARGETS[unit.target](unit),
    }
    if unit.target == "kubernetes":
        for_pods = {name: files[name] for name in FOR_PODS if name in files}
        files |= kubernetes.objects(unit, {**for_pods, MANIFEST: manifest(for_pods, about)})
    return {**files, MANIFEST: manifest(files, about)}
