"""Telling DeepSpeed which ranks share what, where it cannot know: its groups module assumes there are no stages.

Ranks are numbered tensor first, then sequence, data and stage (`World`). Data-parallel ranks, over which gradients are
averaged and ZeRO shards, are those of one stage that hold the same slices; model-parallel ranks, over which norms and
overflows are summed, are all that see the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import deepspeed
from torch import distributed

from ..parallel.world import World
from .deepspeed_private import register_groups


def register_pipeline_groups(world: World) -> Any:
    """Make the groups of a pipeline, and return what DeepSpeed takes as its `mpu`: its own module, set right."""
    deepspeed.init_distributed()
    tensor = world.layout.tensor
    model = _own_group(world, _model_parallel(world))
    tensor_group = _own_group(world, (range(r, r + tensor) for r in range(0, world.size, tensor)))
    return register_groups(tensor_group, _own_group(world, _data_parallel(world)), model)


def _data_parallel(world: World) -> Iterator[range]:
    tensor, each = world.layout.tensor, world.ranks_per_stage
    for first in range(0, world.size, each):
        yield from (range(first + slot, first + each, tensor) for slot in range(tensor))


def _model_parallel(world: World) -> Iterator[list[int]]:
    """Stage by stage, in each slice by slice: the order of a checkpoint's `mp_rank` files."""
    tensor, each = world.layout.tensor, world.ranks_per_stage
    for first in range(0, each, tensor):
        yield [rank for start in range(first, world.size, each) for rank in range(start, start + tensor)]


def _own_group(world: World, all_ranks: Iterator[Any]) -> Any:
    """The group of this rank; every rank makes all of them, in the same order."""
    made = [(ranks, distributed.new_group([*ranks])) for ranks in all_ranks]
    return next(group for ranks, group in made if world.rank in ranks)
