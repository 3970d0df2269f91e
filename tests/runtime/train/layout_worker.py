"""One rank that trains plans one after another: `arguments` is a folder with plans.json; plan N's outcome is N.pt."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import deepspeed
import torch

from trainwright.compiler.render.ds_config import deepspeed_config
from trainwright.runtime.data.dataset import open_dataset
from trainwright.runtime.engine.engine import build_engine
from trainwright.runtime.engine.optimizer import apply_hyperparameters
from trainwright.runtime.parallel.world import World, init_process_group
from trainwright.runtime.train.step import StepInputs, run_step
from trainwright.runtime.train.step_votes import StepVotes
from trainwright.spec.plan import Plan
from trainwright.spec.position import Position
from trainwright.spec.run_folder import RunFolder

COLUMN = ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj", "embed_tokens", "lm_head")
ROW = ("o_proj", "down_proj")


def weights(engine, world: World) -> dict[str, torch.Tensor]:
    """The full fp32 value of every parameter, put together from ZeRO's, the tensor groups' and the stages' pieces."""
    get = deepspeed.utils.safe_get_full_fp32_param
    mine = {name: get(p).detach().float().cpu().clone() for name, p in engine.module.named_parameters()}
    pieces: dict[str, list[torch.Tensor]] = {}
    for rank, part in enumerate(gathered(mine, world)):
        if rank % world.ranks_per_stage < world.layout.tensor:  # the others hold the same
            for name, piece in part.items():
                pieces.setdefault(name, []).append(piece)
    return {name: merged(name, found) for name, found in pieces.items()}


def gathered(value, world: World) -> list:
    """Tensors of all ranks, which the runtime never sends this way."""
    values = [None] * world.size
    torch.distributed.all_gather_object(values, value)
    return values


def merged(name: str, found: list[torch.Tensor]) -> torch.Tensor:
    """One parameter from the slices of its tensor group; what is not cut is the same in all."""
    dimension = next((d for d, names in enumerate((COLUMN, ROW)) if any(n in name for n in names)), None)
    return found[0] if dimension is None else torch.cat(found, dimension)


def train(plan: Plan, run: RunFolder, world: World) -> dict:
    """Losses, gradient norms and final weights."""
    engine = build_engine(plan, deepspeed_config(plan), world)
    data, settings = open_dataset(plan, run, "train"), plan.training.optimizer
    outcomes = []
    position = Position(0, 0)
    while samples := position.next_samples(plan):
        apply_hyperparameters(engine.optimizer, settings, position.learning_rate(plan))
        here = replace(data, layout=plan.layout.with_batch(position.batch(plan)))
        step = StepInputs(engine, world, here, position.step + 1, samples, StepVotes, lambda _: False)
        outcomes.append(run_step(step))
        position = Position(position.step + 1, samples.stop)
    norms = [o.gradient_norm for o in outcomes]
    return {"loss": [o.loss for o in outcomes], "norm": norms, "weights": weights(engine, world)}


def main() -> None:
    """Every plan of plans.json, all of the same number of ranks."""
    folder = Path(given["arguments"][0])
    plans = [Plan.model_validate(raw) for raw in json.loads((folder / "plans.json").read_text())]
    world = init_process_group(plans[0])
    for number, plan in enumerate(plans):
        here = World(world.rank, world.size, world.local_rank, world.device, plan.layout)
        result = train(plan, RunFolder(folder / "run"), here)
        if world.rank == 0:
            torch.save(result, folder / f"{number}.pt")
    world.barrier()  # the first rank holds the store that the others may still meet through


given = globals()
os.environ.update(given["environment"])
with Path(given["output"]).open("ab") as file:
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
main()
