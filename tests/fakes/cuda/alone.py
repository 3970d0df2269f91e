"""One rank of a group of any size whose other ranks are not there: a few real steps, for the peak of its memory.

In: a bundle (plan.json, ds_config.json), a rank, a file for the answer, how many steps. Out: JSON of the caching
allocator's peaks, and of the host's nanoseconds (all threads) in the quickest step.
Weights are not drawn and collectives do nothing: neither changes what is allocated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from deepspeed.runtime.zero import partitioned_param_coordinator, utils
from torch import Tensor, distributed
from torch.testing._internal.distributed.fake_pg import FakeStore

from trainwright.runtime.data.dataset import Batch
from trainwright.runtime.engine.engine import build_engine, read_config
from trainwright.runtime.model.llama import Llama
from trainwright.runtime.parallel.world import World
from trainwright.runtime.train.deterministic import use_deterministic_kernels
from trainwright.runtime.train.step import StepInputs, run_step
from trainwright.runtime.train.step_votes import StepVotes
from trainwright.spec.layout import Layout
from trainwright.spec.plan import Plan, read_plan

STEPS = 2  # the second has the optimizer's state
DOCUMENT = 512  # tokens


@dataclass(frozen=True)
class Zeros:
    """Batches of one token, as the step asks a data set for them."""

    plan: Plan

    @property
    def layout(self) -> Layout:
        """The plan's layout."""
        return self.plan.layout

    def batch(self, *_: int) -> Batch:
        """Any micro batch."""
        tokens = torch.zeros(self.layout.micro_batch, self.plan.training.sequence_length, dtype=torch.int64)
        documents: Tensor | None = None
        if self.plan.data.document_attention == "within":
            documents = (torch.arange(tokens.shape[1]) // DOCUMENT).expand_as(tokens).contiguous()
        return Batch(tokens, tokens, documents)


def join(plan: Plan, rank: int) -> World:
    """A world of the plan's size, in which every collective returns at once, and nobody is asked to agree."""
    size = plan.layout.gpus
    new_group = distributed.new_group

    def new_fake_group(ranks: list[int] | None = None, *_: Any, **__: Any) -> Any:
        return new_group(ranks, backend="fake")

    distributed.init_process_group("fake", store=FakeStore(), rank=rank, world_size=size)
    distributed.new_group = new_fake_group
    for module in (partitioned_param_coordinator, utils):
        for name in ("assert_ints_same_as_other_ranks", "assert_lst_len_same_as_other_ranks"):
            setattr(module, name, lambda _: None)
    device = torch.device("cuda", 0)
    torch.cuda.set_device(device)
    return World(rank, size, 0, device, plan.layout)


def measure(bundle: Path, rank: int, steps: int) -> dict[str, int]:
    """Peak bytes of tensors, and of the memory that the allocator took from the device for them; and host time."""
    plan = read_plan(bundle)
    world = join(plan, rank)
    if plan.training.deterministic:
        use_deterministic_kernels()
    Llama.initialize = lambda _, __, weights=(): deque(weights, maxlen=0)  # materialised, not drawn
    engine = build_engine(plan, read_config(bundle, plan), world)
    before = torch.cuda.max_memory_allocated()
    size, host = plan.layout.global_batch, list[int]()
    for step in range(steps):
        samples, began = range(step * size, (step + 1) * size), time.process_time_ns()
        run_step(StepInputs(engine, world, Zeros(plan), step + 1, samples, votes=StepVotes, must_skip=lambda _: False))
        host.append(time.process_time_ns() - began)
    peaks = {
        "start": before,
        "tensors": torch.cuda.max_memory_allocated(),
        "reserved": torch.cuda.max_memory_reserved(),
    }
    return {**peaks, "state": torch.cuda.memory_allocated(), "host_ns": min(host)}


def main() -> None:
    """Measure, and write the answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("rank", type=int)
    parser.add_argument("answer", type=Path)
    parser.add_argument("steps", type=int, nargs="?", default=STEPS)
    options = parser.parse_args()
    options.answer.write_text(json.dumps(measure(options.bundle, options.rank, options.steps)), encoding="utf-8")


if __name__ == "__main__":
    main()
