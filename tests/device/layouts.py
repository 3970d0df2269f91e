"""The layouts that the planner can choose and the options that change what a device does: GPUs, and what is set."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A layout of the device tests."""

    gpus: int
    settings: tuple[str, ...] = ()


SEVERAL_MICRO_BATCHES = "parallel.micro_batch=4"
TWO_NODES = (
    "cluster.gpus_per_node=2",
    "cluster.interconnect={kind: infiniband, bandwidth_per_gpu: 200 Gbps}",
    "launch={target: ssh, hosts: [node1, node2]}",
)

LAYOUTS = {
    "one-device": Case(1),
    "zero-1": Case(2, ("parallel.zero=1", SEVERAL_MICRO_BATCHES)),
    "zero-2": Case(2, ("parallel.zero=2",)),
    "zero-3": Case(2, ("parallel.zero=3",)),
    "zero-3-a-copy-a-node": Case(4, ("parallel.zero=3", "parallel.shard_group=2", *TWO_NODES)),
    "tensor-2": Case(2, ("parallel.tensor=2",)),
    "ulysses-2": Case(2, ("parallel.sequence=2",)),
    "pipeline-2": Case(2, ("parallel.pipeline=2", SEVERAL_MICRO_BATCHES)),
    "pipeline-4": Case(4, ("parallel.pipeline=4", SEVERAL_MICRO_BATCHES)),
    "tensor-2-pipeline-2": Case(4, ("parallel.tensor=2", "parallel.pipeline=2", SEVERAL_MICRO_BATCHES)),
    "full-recompute": Case(1, ("parallel.activation_checkpointing=full",)),
    "selective-recompute": Case(1, ("parallel.activation_checkpointing=selective",)),
    "offload": Case(2, ("parallel.offload=optimizer",)),
    "grouped-queries": Case(1, ("model.kv_heads=2",)),
    "documents": Case(1, ("data.document_attention=within",)),
    "documents-grouped-queries": Case(1, ("data.document_attention=within", "model.kv_heads=2")),
    "tied-asynchronous": Case(
        2, ("model.tied_embeddings=true", "parallel.zero=3", "training.checkpoint.asynchronous=true")
    ),
    "fp16": Case(2, ("training.precision=fp16",)),
    "fp32": Case(2, ("training.precision=fp32",)),
}
