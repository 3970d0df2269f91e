"""The layouts that the planner can choose and the options that change what a device does."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A layout of the device tests: its GPUs and settings, and the GPUs and layout that its run is resumed in."""

    gpus: int
    settings: tuple[str, ...] = ()
    then: tuple[int, str] = (1, "parallel.zero=1")
    model: tuple[str, ...] = ()  # set in both


SEVERAL_MICRO_BATCHES = "parallel.micro_batch=4"
TWO_NODES = (
    "cluster.gpus_per_node=2",
    "cluster.interconnect={kind: infiniband, bandwidth_per_gpu: 200 Gbps}",
    "launch={target: ssh, hosts: [node1, node2]}",
)
LARGER = ("model.hidden_size=512", "model.ffn_size=2048")
WITHIN = "data.document_attention=within"
GROUPED = "model.kv_heads=2"

LAYOUTS = {
    "one-device": Case(1, then=(4, "parallel.zero=2")),
    "zero-1": Case(2, ("parallel.zero=1", SEVERAL_MICRO_BATCHES)),
    "zero-2": Case(2, ("parallel.zero=2",), then=(4, "parallel.zero=1")),
    "zero-3": Case(2, ("parallel.zero=3", SEVERAL_MICRO_BATCHES), then=(4, "parallel.zero=3")),
    "zero-3-a-copy-a-node": Case(
        4, ("parallel.zero=3", "parallel.shard_group=2", *TWO_NODES), then=(2, "parallel.zero=3"), model=LARGER
    ),
    "tensor-2": Case(2, ("parallel.tensor=2",)),
    "ulysses-2": Case(2, ("parallel.sequence=2",)),
    "pipeline-2": Case(2, ("parallel.pipeline=2", SEVERAL_MICRO_BATCHES)),
    "pipeline-4": Case(4, ("parallel.pipeline=4", SEVERAL_MICRO_BATCHES)),
    "tensor-2-pipeline-2": Case(4, ("parallel.tensor=2", "parallel.pipeline=2", SEVERAL_MICRO_BATCHES)),
    "full-recompute": Case(1, ("parallel.activation_checkpointing=full",), then=(2, "parallel.tensor=2")),
    "selective-recompute": Case(1, ("parallel.activation_checkpointing=selective",), then=(2, "parallel.zero=2")),
    "offload": Case(2, ("parallel.offload=optimizer",), then=(1, "parallel.offload=optimizer")),
    "grouped-queries": Case(1, then=(2, "parallel.tensor=2"), model=(GROUPED,)),
    "documents": Case(1, then=(2, "parallel.zero=2"), model=(WITHIN,)),
    "documents-grouped-queries": Case(1, then=(2, "parallel.tensor=2"), model=(WITHIN, GROUPED)),
    "tied-asynchronous": Case(
        2,
        ("parallel.zero=3",),
        then=(1, "parallel.zero=3"),
        model=("model.tied_embeddings=true", "training.checkpoint.asynchronous=true"),
    ),
    "fp16": Case(2, model=("training.precision=fp16",)),
    "fp32": Case(2, model=("training.precision=fp32",)),
}
