"""Going on with another number of ranks or another ZeRO stage: DeepSpeed's universal checkpoint, made on the way.

A generation whose files were checked is rewritten, converted, loaded, and the copies are removed: DeepSpeed's converter
unpickles whatever it finds in its folder, so what it finds there is written by us, under the names that it expects.
The samples are the same ones, since their order depends on the step alone; sums run in another order, so the numbers
agree to rounding, not to the bit.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ...spec.exit_codes import Exit
from ..engine.deepspeed_private import loading_universal
from ..engine.protocol import Engine
from ..engine.universal_converter import to_universal
from ..launch.exit_status import Ended, code_of
from ..parallel.world import World
from .foreign_state import rewrite
from .store import ENGINE

DRAFT = ".draft-universal"
COPY = ".draft-rewritten"


def load_resharded(engine: Engine, world: World, generation: Path) -> None:
    """Put weights and optimizer of `generation` into an engine of another layout.

    Raises Ended on every rank: STORAGE on a full disk, CORRUPT when DeepSpeed cannot convert what is there.
    """
    draft = generation.with_name(DRAFT)
    failures = world.all_gather_object(_convert(generation, draft) if world.rank == 0 else None)
    failure = next(filter(None, failures), None)
    if failure is not None:
        raise Ended(failure[0], failure[0].name.lower(), failure[1])
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


def _convert(generation: Path, draft: Path) -> tuple[Exit, str] | None:
    """Make the universal checkpoint in `draft`; the code and reason of a failure, which leaves nothing behind."""
    copy = generation.with_name(COPY)
    try:
        for folder in (draft, copy):
            shutil.rmtree(folder, ignore_errors=True)
            (folder / ENGINE).mkdir(parents=True)
        for file in sorted((generation / ENGINE).glob("*.pt")):
            rewrite(file, copy / ENGINE / file.name)
        to_universal(copy / ENGINE, draft / ENGINE)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the state, all ranks must learn that it is
        shutil.rmtree(draft, ignore_errors=True)
        code = code_of(error)
        said = f"{generation.name} cannot be converted: {type(error).__name__}: {error}"
        return Exit.CORRUPT if code is Exit.FAULT else code, said
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return None
