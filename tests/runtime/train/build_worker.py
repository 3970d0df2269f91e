"""One rank that builds models and counts what it holds: `arguments` is a folder with plans.json; outcome peaks.json."""

from __future__ import annotations

import json
import os
import weakref
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from trainwright.compiler.render.ds_config import deepspeed_config
from trainwright.runtime.engine.engine import build_model
from trainwright.runtime.parallel.world import World, init_process_group
from trainwright.spec.plan import Plan


class Watch(TorchDispatchMode):
    """Counts the bytes of every tensor storage from the operation that makes it until it is freed."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        """Run the operation and look at what came of it."""
        results = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(results):
            if isinstance(tensor, torch.Tensor) and tensor.device.type != "meta":
                self.see(tensor.untyped_storage())
        return results

    def see(self, storage: torch.UntypedStorage) -> None:
        """Count a storage that was not seen before."""
        key = storage._cdata
        if key not in self.alive:
            weakref.finalize(storage, self.alive.pop, key)
        self.alive[key] = storage.nbytes()
        self.peak = max(self.peak, sum(self.alive.values()))


def peak(plan: Plan, world: World) -> int:
    """The most bytes of tensors that were alive at one time while the model was built."""
    with Watch() as watch:
        build_model(plan, deepspeed_config(plan), world)
    return watch.peak


def main() -> None:
    """Every plan of plans.json, all of the same number of ranks."""
    folder = Path(given["arguments"][0])
    plans = [Plan.model_validate(raw) for raw in json.loads((folder / "plans.json").read_text())]
    world = init_process_group(plans[0])
    peaks = [peak(p, World(world.rank, world.size, world.local_rank, world.device, p.layout)) for p in plans]
    if world.rank == 0:
        (folder / "peaks.json").write_text(json.dumps(peaks))
    world.barrier()  # the first rank holds the store that the others may still meet through


given = globals()
os.environ.update(given["environment"])
with Path(given["output"]).open("ab") as file:
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
main()
