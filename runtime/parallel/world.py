"""Joining the other ranks of a run, and agreeing with them.

In: the environment that a launcher sets (or nothing: one process) and the plan. Out: a `World`, which knows this
process's place in the layout and adds up small vectors over all ranks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from torch._C._distributed_c10d import HashStore, PrefixStore, Store, TCPStore

from ...spec.layout import Layout
from ...spec.listening import LISTENER, listening_socket
from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_token import TOKEN
from ..model.pipeline_stage import PipelineStage
from .gloo import allow_open_files, prepare_gloo
from .plain_pickle import gather_plain

SINGLE_PROCESS = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
COLLECTIVE_TIMEOUT = timedelta(minutes=30)  # the watchdog finds lost ranks long before; this ends the rest


@dataclass(frozen=True, slots=True)
class World:
    """This process among the others. Consecutive ranks form a tensor group, then a sequence group, then a stage."""

    rank: int
    size: int
    local_rank: int
    device: torch.device
    layout: Layout

    @property
    def sequence_rank(self) -> int:
        """Which part of each sequence this rank holds."""
        return self.rank // self.layout.tensor % self.layout.sequence

    @property
    def data_rank(self) -> int:
        """Which samples this rank sees; equal throughout a tensor or sequence group, and on every stage."""
        return self.rank % self.ranks_per_stage // (self.layout.tensor * self.layout.sequence)

    @property
    def stage(self) -> PipelineStage:
        """Which part of the layers this rank holds; stages lie furthest apart, as they say the least to each other."""
        return PipelineStage(self.rank // self.ranks_per_stage, self.layout.pipeline, self.layout.uneven_stages)

    def neighbour(self, step: int) -> int:
        """The rank of the next (`step` 1) or previous (-1) stage that sees the same samples."""
        return self.rank + step * self.ranks_per_stage

    @property
    def ranks_per_stage(self) -> int:
        """Ranks of one stage."""
        return self.size // self.layout.pipeline

    def all_reduce_sum(self, numbers: Sequence[float]) -> list[float]:
        """Element-wise sum over all ranks, in float64, on the CPU: every rank gets the same bits."""
        return self.all_reduce_sum_async(numbers)()

    def all_reduce_sum_async(self, numbers: Sequence[float]) -> Callable[[], list[float]]:
        """Begin to sum as `total` does; the call that comes back waits for the other ranks."""
        vector = torch.tensor(numbers, dtype=torch.float64)
        work = distributed.all_reduce(vector, async_op=True)

        def wait() -> list[float]:
            if work is not None:
                work.wait()
            return vector.tolist()

        return wait

    def all_gather_object(self, value: Any) -> list[Any]:
        """The values of all ranks, in order of rank: plain ones, and those of `plain_pickle.CLASSES`."""
        return gather_plain(value, self.size)

    def barrier(self) -> None:
        """Until every rank is here."""
        self.all_reduce_sum([0.0])


def init_process_group(plan: Plan) -> World:
    """Join the process group. Raises InputError when the processes are not those that the plan counts on."""
    for name, value in SINGLE_PROCESS.items():
        os.environ.setdefault(name, value)
    rank, size, local_rank = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    if size != plan.layout.gpus:
        raise InputError.one(
            "TW701",
            f"{size} processes were started, the plan's layout needs {plan.layout.gpus}",
            "start the bundle's launch.sh, or compile the spec again for this number",
            "parallel",
        )
    device = torch.device(plan.device.kind, local_rank) if plan.device.kind == "cuda" else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    allow_open_files()
    prepare_gloo()
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    store = HashStore() if size == 1 and os.environ["MASTER_PORT"] == "0" else _meeting_place(rank, size)
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=COLLECTIVE_TIMEOUT)
    return World(rank, size, local_rank, device, plan.layout)


def _meeting_place(rank: int, size: int) -> Store:
    """The store through which the ranks find each other. The first one listens where its launcher does, or would."""
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    descriptor = None
    if rank == 0:
        inherited = os.environ.pop(LISTENER, "")
        descriptor = int(inherited) if inherited else listening_socket(address, port).detach()
    store = TCPStore(
        address,
        port,
        size,
        is_master=rank == 0,
        timeout=COLLECTIVE_TIMEOUT,
        wait_for_workers=False,
        master_listen_fd=descriptor,
    )
    return PrefixStore(os.environ.get(TOKEN, ""), store)


def destroy_process_group() -> None:
    """Leave the process group."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
