"""The random generators of a rank, as a checkpoint keeps them."""

from __future__ import annotations

import torch

from ..parallel.world import World


def random_state(world: World) -> dict[str, list[int]]:
    """The random generators of this process, as plain JSON."""
    state = {"cpu": torch.get_rng_state().tolist()}
    if world.device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(world.device).tolist()
    return state


def restore_random_state(state: dict[str, list[int]], world: World) -> None:
    """Restore the random generators."""
    torch.set_rng_state(torch.tensor(state["cpu"], dtype=torch.uint8))
    if world.device.type == "cuda":
        torch.cuda.set_rng_state(torch.tensor(state["cuda"], dtype=torch.uint8), world.device)
