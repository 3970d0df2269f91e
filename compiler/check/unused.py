"""A setting that has no effect where it stands is pointed out.

It usually means that another setting is wrong: a partition without Slurm, a RoCE traffic class on InfiniBand.

Bad:

    launch: {target: local, partition: gpu}

Good:

    launch: {target: slurm, partition: gpu}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from ...spec.hardware import gpu
from ...spec.sections import Cluster, Optimizer
from ..load import Loaded
from ..load.override import OVERRIDE
from .device import is_known
from .finding import Finding

CODE = "TW405"

_ONLY_FOR = {
    "hosts": ("ssh",),
    "starter": ("ssh",),
    "partition": ("slurm",),
    "account": ("slurm",),
    "slurm": ("slurm",),
    "time_limit": ("slurm",),
    "container": ("slurm", "kubernetes"),
    "container.runtime": ("slurm",),
    "container.mounts": ("slurm",),
    "kubernetes": ("kubernetes",),
    "workload": ("kubernetes",),
    "namespace": ("kubernetes",),
    "rdma_resource": ("kubernetes",),
    "rdma_devices": ("kubernetes",),
    "volume_claim": ("kubernetes",),
}
# What says how a tokenizer is trained; a SentencePiece model that is given is compared with the last two.
_ONLY_TRAINING = ("algorithm", "character_coverage", "training_bytes")
_ONLY_SENTENCEPIECE = ("split_digits", "byte_fallback")


def check(loaded: Loaded) -> Iterator[Finding]:
    """Settings of another launch target, another fabric or another kind of device."""
    yield from _launch(loaded)
    yield from _cluster(loaded.spec.cluster)
    yield from _tokenizer(loaded)
    yield from _validation(loaded)
    yield from _optimizer(loaded)
    if loaded.spec.carbon.intensity is not None and loaded.spec.carbon.region is not None:
        yield Finding("carbon.region", "`intensity` is given, so the table is not used", "Keep one of the two.")
    elif loaded.spec.carbon.year is not None and loaded.spec.carbon.region is None:
        yield Finding("carbon.year", "`year` chooses a figure of `region`, and none is given", "Remove it.")


def _launch(loaded: Loaded) -> Iterator[Finding]:
    launch = loaded.spec.launch
    for name, targets in _ONLY_FOR.items():
        value = reduce(lambda part, key: getattr(part, key, None), name.split("."), launch)
        if _written(loaded, f"launch.{name}") and value and launch.target not in targets:
            message = f"`{name}` is used only with `target: {' or '.join(targets)}`, and the target is {launch.target}"
            yield Finding(f"launch.{name}", message, "Remove it, or change the target.")


def _tokenizer(loaded: Loaded) -> Iterator[Finding]:
    path = loaded.spec.tokenizer.path
    if path is None:
        return
    for key in _ONLY_TRAINING + (_ONLY_SENTENCEPIECE if path.endswith(".json") else ()):
        if _written(loaded, f"tokenizer.{key}"):
            message = f"`{key}` says nothing about a tokenizer that is given"
            yield Finding(f"tokenizer.{key}", message, "Remove it, or remove `path`.")


def _validation(loaded: Loaded) -> Iterator[Finding]:
    """Nothing of the training text is held out beside held-out text of its own."""
    if loaded.spec.data.validation_source is None:
        return
    if _written(loaded, "data.validation"):
        message = "with `validation_source` no share of the training text is held out"
        yield Finding("data.validation", message, "Keep one of the two.")
    if loaded.spec.data.validation_source.weight is not None:
        message = "`weight` is that of training text"
        yield Finding("data.validation_source.weight", message, "Remove it.")


def _optimizer(loaded: Loaded) -> Iterator[Finding]:
    """Keys of another schedule."""
    schedule = loaded.spec.training.optimizer.schedule
    for key in ("decay", "decay_style"):
        if schedule != "wsd" and _written(loaded, f"training.optimizer.{key}"):
            message = f"`{key}` is used only with `schedule: wsd`, and the schedule is {schedule}"
            yield Finding(f"training.optimizer.{key}", message, "Remove it, or change the schedule.")
    for key in ("final_learning_rate", "min_learning_rate"):
        value, default = (getattr(loaded.spec.training.optimizer, key), Optimizer.model_fields[key].default)
        if schedule == "constant" and value != default and _written(loaded, f"training.optimizer.{key}"):
            yield Finding(f"training.optimizer.{key}", "a constant schedule ends at the peak", "Remove it.")


def _written(loaded: Loaded, path: str) -> bool:
    """Whether this key, or one below it, is written in the spec itself; what a base says, the spec cannot remove."""
    here = (str(loaded.path), OVERRIDE)
    return any(
        (key == path or key.startswith(f"{path}.")) and place.file in here for key, place in loaded.places.items()
    )


def _cluster(cluster: Cluster) -> Iterator[Finding]:
    network = cluster.interconnect
    if network.kind != "roce" and (network.traffic_class is not None or network.gid_index is not None):
        name = "traffic_class" if network.traffic_class is not None else "gid_index"
        message = f"`{name}` is used only on RoCE, and the network is {network.kind}"
        yield Finding(f"cluster.interconnect.{name}", message, "Remove it, or change `kind`.")
    if cluster.device_power is not None and is_known(cluster.gpu) and gpu(cluster.gpu).power is not None:
        message = "`device_power` is used only where power limits are unknown, as on CPUs; a GPU's energy is metered"
        yield Finding("cluster.device_power", message, "Remove it; `power_cap` is what limits a GPU.")
