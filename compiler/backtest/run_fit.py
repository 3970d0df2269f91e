"""What a published run leaves open, chosen so that it fits its devices: it ran, so it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from ...spec.facts import figures
from ..cost.case import StepCase
from ..cost.memory import memory_bytes
from ..cost.software_profile import SoftwareProfile
from ..cost.step import step
from .published_run import PublishedRun
from .run_layout import says

DEGREES = (1, 2, 4, 8)
LAYOUT = (
    "tensor", "pipeline", "context", "data", "zero", "sharding", "micro_batch", "activation_checkpointing",
)  # fmt: skip


def sliced(stack: SoftwareProfile) -> SoftwareProfile:
    """The stack with a loss that never holds all logits at once."""
    return replace(stack, memory=replace(stack.memory, slice=figures("software")["defaults"]["loss_slice"]))


def fits(asked: StepCase) -> bool:
    """Whether the case fits its device, to within the error of a memory figure."""
    room = asked.hardware.gpu.memory_bytes
    return room is None or sum(memory_bytes(asked).values()) <= figures("software")["defaults"]["fill"] * room


def fitted(row: PublishedRun, asked: StepCase) -> StepCase:
    """The case with what its row leaves open: the fastest layout that fits where it says nothing of one."""
    if says(row.loss, "chunk|tile|fused|cut"):
        asked = replace(asked, profile=sliced(asked.profile))
    if not any(getattr(row, key) for key in LAYOUT):
        found = min(filter(fits, _layouts(asked)), key=_seconds_a_sequence, default=None)
        if found:
            return found
    while not fits(asked):
        lighter = next(_lighter(row, asked), None)
        if lighter is None:
            break
        asked = lighter
    return asked


def _seconds_a_sequence(asked: StepCase) -> float:
    return step(asked).seconds / asked.workload.batch


def _layouts(asked: StepCase) -> Iterator[StepCase]:
    """Common layouts of the same devices and batch without pipeline stages."""
    old, node = asked.layout, asked.hardware.per_node
    kept = dict.fromkeys((old.activation_checkpointing, "selective", "full"))
    for tensor, zero, group, micro, recompute in product(DEGREES, (1, 3), (0, node), DEGREES, kept):
        data = old.gpus // tensor
        whole = old.gpus % tensor == 0 and asked.workload.shape.heads % tensor == 0 and tensor <= node
        if not whole or (group and (zero < 3 or tensor > 1)) or old.global_batch < data * micro:
            continue
        change = {
            "tensor": tensor,
            "data": data,
            "zero": zero,
            "shard_group": group,
            "micro_batch": micro,
            "accumulation": old.global_batch // (data * micro),
            "activation_checkpointing": recompute,
            "megatron_sequence": tensor > 1 and asked.profile.sequence_parallel,
        }
        layout = old.model_copy(update=change)
        yield replace(asked, layout=layout, workload=replace(asked.workload, batch=layout.global_batch))


def _lighter(row: PublishedRun, asked: StepCase) -> Iterator[StepCase]:
    """The case with less memory, by what its row does not say, the cheapest in time first.

    Tensor parallelism only without another degree; recomputation only under PyTorch, whose recipes turn it on by
    size, where Megatron's say so when they do.
    """
    old, torch = asked.layout, asked.profile.native_pipeline

    def changed(**change: object) -> StepCase:
        return replace(asked, layout=old.model_copy(update=change))

    if not row.loss and not asked.profile.memory.slice:
        yield replace(asked, profile=sliced(asked.profile))
    if not row.micro_batch and old.micro_batch > 1:
        micro = old.micro_batch // 2
        yield changed(micro_batch=micro, accumulation=old.accumulation * old.micro_batch // micro)
    if not (row.tensor or row.pipeline) and old.tensor < asked.hardware.per_node and old.data > 1:
        yield changed(tensor=2 * old.tensor, data=old.data // 2, accumulation=2 * old.accumulation)
    if torch and not row.activation_checkpointing and old.activation_checkpointing != "full":
        yield changed(activation_checkpointing="selective" if old.activation_checkpointing == "none" else "full")
    if not row.offload and old.activation_checkpointing == "full" and not asked.host_activations:
        yield replace(asked, host_activations=True)
