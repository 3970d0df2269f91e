"""Going on with another number of ranks or another ZeRO stage: DeepSpeed's universal checkpoint, made on the way.

A generation whose files were checked is rewritten, converted, loaded, and the copies are removed: DeepSpeed's converter
unpickles whatever it finds in its folder, so what it finds there is written by us, under the names that it expects.
The samples are the same ones, since their order depends on the step alone; sums run in another order, so the numbers
agree to rounding, not to the bit.

Each rank rewrites and converts its share of the files, one at a time: neither the time nor a rank's memory grows with
the size of the run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ...spec.exit_codes import Exit
from ..engine.deepspeed_private import loading_universal
from ..engine.protocol import Engine
from ..engine.universal_converter import Together, to_universal
from ..launch.exit_status import Ended, code_of
from ..parallel.world import World
from .foreign_state import rewrite
from .store import ENGINE

DRAFT = ".draft-universal"
COPY = ".draft-rewritten"

T = TypeVar("T")


def load_resharded(engine: Engine, world: World, generation: Path) -> None:
    """Put weights and optimizer of `generation` into an engine of another layout.

    Raises Ended on every rank: STORAGE on a full disk, CORRUPT when DeepSpeed cannot convert what is there.
    """
    draft = generation.with_name(DRAFT)
    _convert(world, generation, draft)
    optimizer = engine.optimizer.optimizer
    decays = [group["weight_decay"] for group in optimizer.param_groups]
    with loading_universal(engine):
        engine.load_checkpoint(str(draft), tag=ENGINE, load_lr_scheduler_states=False)
    _undo_shared_state(optimizer, decays)
    world.barrier()
    if world.rank == 0:
        shutil.rmtree(draft)


def _undo_shared_state(optimizer: Any, decays: list[float]) -> None:
    """Undo what DeepSpeed's load (0.19.8) shares or misplaces.

    ZeRO-3 has one step counter, counted up once a group, and one decay; counters stay on the CPU, where a fused AdamW
    on a GPU does not take them.
    """
    for state in optimizer.state.values():
        state["step"] = state["step"].to(state["exp_avg"].device, copy=True)
    for group, decay in zip(optimizer.param_groups, decays, strict=True):
        group["weight_decay"] = decay


def _convert(world: World, generation: Path, draft: Path) -> None:
    """Make the universal checkpoint in `draft`. A failure raises Ended on every rank, and leaves nothing behind."""
    copy = generation.with_name(COPY)

    def prepare() -> None:
        for folder in (draft, copy) if world.rank == 0 else ():
            shutil.rmtree(folder, ignore_errors=True)
            (folder / ENGINE).mkdir(parents=True)

    def rewrite_share() -> None:
        for file in sorted((generation / ENGINE).glob("*.pt"))[world.rank :: world.size]:
            rewrite(file, copy / ENGINE / file.name)

    together: Together = partial(_on_all_ranks, world, generation.name)
    try:
        together(prepare)
        together(rewrite_share)
        together(partial(to_universal, copy / ENGINE, draft / ENGINE, world, together))
    except Ended:
        if world.rank == 0:
            shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        if world.rank == 0:
            shutil.rmtree(copy, ignore_errors=True)


def _on_all_ranks(world: World, name: str, action: Callable[[], T]) -> list[T | None]:
    """Every rank's result of `action`. Raises Ended on all where one has failed, whatever that one was doing."""
    result, failure = None, None
    try:
        result = action()
    except Ended:
        raise  # the others know
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the state, all ranks must learn that it is
        code = code_of(error)
        message = f"{name} cannot be converted: {type(error).__name__}: {error}"
        failure = Exit.CORRUPT if code is Exit.FAULT else code, message
    answers = world.all_gather_object((result, failure))
    for _, found in answers:
        if found is not None:
            raise Ended(found[0], found[0].name.lower(), found[1])
    return [answer[0] for answer in answers]
