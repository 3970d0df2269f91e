"""One rank that trains plans one after another: `arguments` is a folder with plans.json; plan N's outcome is N.pt."""

from __future__ import annotations

import json
import os
from pathlib import Path

import deepspeed
import torch
from torch import distributed

from trainwright.compiler.render.ds_config import deepspeed_config
from trainwright.runtime.data.dataset import open_dataset
from trainwright.runtime.distributed import World, join
from trainwright.runtime.engine import start_engine
from trainwright.runtime.optim import configure, learning_rate
from trainwright.runtime.step import Step, take
from trainwright.spec.plan import Plan
from trainwright.spec.run import RunFolder

COLUMN = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj", "embed_tokens", "lm_head")
ROW = ("o_proj", "down_proj")


def whole(name: str, parameter: torch.nn.Parameter, world: World) -> torch.Tensor:
    """The full fp32 value of a parameter, put together from ZeRO's and the tensor group's pieces."""
    value = deepspeed.utils.safe_get_full_fp32_param(parameter).detach().float().cpu()
    dimension = next((d for d, names in enumerate((COLUMN, ROW)) if any(n in name for n in names)), None)
    if world.layout.tensor == 1 or dimension is None:
        return value.clone()
    pieces: list = [None] * world.size
    distributed.all_gather_object(pieces, value)
    first = world.rank // world.layout.tensor * world.layout.tensor
    return torch.cat(pieces[first : first + world.layout.tensor], dimension)


def train(plan: Plan, run: RunFolder, world: World) -> dict:
    """Losses, gradient norms and final weights."""
    engine = start_engine(plan, deepspeed_config(plan), world)
    data, settings = open_dataset(plan, run, "train"), plan.training.optimizer
    outcomes = []
    for number in range(1, plan.schedule.steps + 1):
        configure(engine.optimizer, settings, learning_rate(number, settings, plan.schedule))
        outcomes.append(take(Step(engine, world, data, number, number - 1, list, lambda _: False)))
    weights = {name: whole(name, p, world) for name, p in engine.module.named_parameters()}
    return {"loss": [o.loss for o in outcomes], "norm": [o.gradient_norm for o in outcomes], "weights": weights}


def main() -> None:
    """Every plan of plans.json, all of the same number of ranks."""
    folder = Path(given["arguments"][0])
    plans = [Plan.model_validate(raw) for raw in json.loads((folder / "plans.json").read_text())]
    world = join(plans[0])
    for number, plan in enumerate(plans):
        here = World(world.rank, world.size, world.local_rank, world.device, plan.layout)
        result = train(plan, RunFolder(folder / "run"), here)
        if world.rank == 0:
            torch.save(result, folder / f"{number}.pt")


given = globals()
os.environ.update(given["environment"])
with Path(given["output"]).open("ab") as file:
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
main()
