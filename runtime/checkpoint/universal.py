"""Going on with another number of ranks or another ZeRO stage: DeepSpeed's universal checkpoint, made on the way.

A generation whose hashes were checked is converted into a draft folder, loaded from there, and the draft is removed.
The samples are the same ones, since their order depends on the step alone; sums run in another order, so the numbers
agree to rounding, not to the bit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

from ..engine.checkpoint_engine import DurableFiles
from ..parallel.world import World
from .store import ENGINE

DRAFT = ".draft-universal"


def load_resharded(engine: Any, world: World, generation: Path) -> None:
    """Put weights and optimizer of `generation` into an engine of another layout. Raises OSError on a full disk."""
    draft = generation.with_name(DRAFT)
    if world.rank == 0:
        _convert(generation / ENGINE, draft)
    world.wait()
    settings = engine._config  # noqa: SLF001 - DeepSpeed reads the switch from here and has no other way to set it
    optimizer = engine.optimizer.optimizer
    decays = [group["weight_decay"] for group in optimizer.param_groups]
    settings.load_universal_checkpoint = True
    engine.load_checkpoint(str(draft), tag=ENGINE, load_lr_scheduler_states=False)
    settings.load_universal_checkpoint = False  # left on, DeepSpeed saves ZeRO-3 weights of the first rank only
    _part(optimizer, decays)
    world.wait()
    if world.rank == 0:
        shutil.rmtree(draft)


def _part(optimizer: Any, decays: list[float]) -> None:
    """Undo what DeepSpeed's ZeRO-3 load (0.19.8) shares: one step counter, counted up once a group, and one decay."""
    for state in optimizer.state.values():
        state["step"] = state["step"].clone()
    for group, decay in zip(optimizer.param_groups, decays, strict=True):
        group["weight_decay"] = decay


def _convert(source: Path, draft: Path) -> None:
    from deepspeed.checkpoint import ds_to_universal

    for file in sorted(source.glob("*.pt")):
        DurableFiles().load(
            str(file), map_location="cpu"
        )  # the converter unpickles anything; nothing but state may pass
    shutil.rmtree(draft, ignore_errors=True)
    (draft / ENGINE).mkdir(parents=True)
    options = Namespace(
        input_folder=str(source),
        output_folder=str(draft / ENGINE),
        num_extract_workers=1,
        num_merge_workers=1,
        keep_temp_folder=False,
        strict=True,
        inject_missing_state=True,
    )
    with Path(os.devnull).open("w") as quiet, contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        ds_to_universal.main(options)
