"""Saving and restoring a run: the engine's files, the loop's state and each rank's random generators, together.

All ranks call these functions together; what one of them finds out, all of them know.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ...spec.atomic_files import write_atomically
from ...spec.exit_codes import Exit
from ...spec.foreign_files import read_json
from ...spec.plan import Plan
from ...spec.run_folder import CHECKPOINT_STATE, checkpoint_name
from ...spec.sections import Checkpointing
from ..engine.protocol import Engine
from ..launch.exit_status import Ended, UnfitStateError, code_of
from ..parallel.world import World
from . import store
from .full_weights import damage
from .random_state import random_state, restore_random_state
from .signing_key import signing_key
from .store import ENGINE, FileEntry
from .universal import load_resharded

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DraftCheckpoint:
    """A generation that is being written; what it will hold is settled."""

    folder: Path
    step: int
    own: dict[str, FileEntry]  # this rank's small files, already written


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A published generation."""

    path: Path
    step: int
    bytes: int


@dataclass(frozen=True, slots=True)
class NewestValid:
    """The newest sound generation (None: none at all), and what was wrong with newer ones."""

    path: Path | None
    damaged: tuple[str, ...]

    def read_state(self) -> dict[str, Any]:
        """What state.json of the generation holds."""
        if self.path is None:
            raise FileNotFoundError("there is no checkpoint")
        return read_json(self.path / CHECKPOINT_STATE)


def start(engine: Engine, world: World, root: Path, content: dict[str, Any]) -> DraftCheckpoint:
    """Begin to write the generation of `content["state"]["step"]`. The engine may train on as soon as this returns.

    Raises Ended(STORAGE) on every rank when the disk of any of them refuses; the generations before stay as they were.
    """
    step = content["state"]["step"]
    folder = root / f".draft-{checkpoint_name(step)}"
    _on_all_ranks(world, lambda: store.create_draft(root, step) if world.rank == 0 else None, folder)
    engine.save_checkpoint(str(folder), tag=ENGINE, save_latest=False)

    def write_own() -> dict[str, FileEntry]:
        files = _write_json(folder, f"random-{world.rank:05d}.json", random_state(world))
        return files | (_write_json(folder, CHECKPOINT_STATE, content) if world.rank == 0 else {})

    return DraftCheckpoint(folder, step, _on_all_ranks(world, write_own, folder)[world.rank])


def commit(engine: Engine, world: World, begun: DraftCheckpoint, keep: Checkpointing) -> SavedCheckpoint:
    """Wait for the files of a draft, give it its name, and remove old generations. Raises Ended as `draft` does."""
    folder, root = begun.folder, begun.folder.parent
    files = store.merge_entries(
        _on_all_ranks(world, lambda: engine.checkpoint_engine.collect_written(folder) | begun.own, folder)
    )

    def name() -> None:
        if world.rank == 0:
            store.publish(folder, begun.step, files, signing_key(keep))
            store.prune(root, begun.step, keep.keep_last, keep.keep_every)

    _on_all_ranks(world, name, folder)
    return SavedCheckpoint(root / checkpoint_name(begun.step), begun.step, sum(entry.bytes for entry in files.values()))


def find_newest_valid(world: World, root: Path, plan: Plan) -> NewestValid:
    """The newest generation whose every file has its hash and holds plain state of this model; ranks share the work.

    Raises Ended(CORRUPT) when there are generations but none is sound.
    """
    damaged: list[str] = []
    for generation in world.all_gather_object(store.list_checkpoints(root))[0]:
        flaw = next(filter(None, world.all_gather_object(_flaw(generation, world, plan))), None)
        if flaw is None:
            return NewestValid(generation, tuple(damaged))
        damaged.append(flaw)
    if damaged:
        raise Ended(Exit.CORRUPT, "no valid checkpoint", "; ".join(damaged))
    return NewestValid(None, ())


def _flaw(generation: Path, world: World, plan: Plan) -> str | None:
    """What this rank, which looks at its share of the files, finds wrong with a generation."""
    flaw = damage(generation, plan, (world.rank, world.size))
    return flaw or (_loop_flaw(generation) if world.rank == 0 else None)


def _loop_flaw(generation: Path) -> str | None:
    """What keeps state.json from being read as the loop's own."""
    try:
        content = read_json(generation / CHECKPOINT_STATE)
        degrees = content["settings"]["plan"]["layout"].values()
        digests, state = content["digests"].keys(), content["state"]
        whole = isinstance(state["step"], int) and isinstance(state["samples"], int)
        plain = whole and digests and content["settings"]["versions"].keys() and degrees
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{generation.name}/{CHECKPOINT_STATE} is not the state of a run: {type(error).__name__}: {error}"
    return None if plain else f"{generation.name}/{CHECKPOINT_STATE} is not the state of a run"


def set_aside(world: World, root: Path, found: NewestValid) -> None:
    """Rename the generations that are newer than the one that was found: they were damaged."""
    if world.rank == 0 and found.path is not None:
        newer = [
            generation
            for generation in store.list_checkpoints(root)
            if store.step_of(generation) > store.step_of(found.path)
        ]
        for generation in newer:
            store.set_aside(generation)


def restore(engine: Engine, world: World, generation: Path, *, resharded: bool = False) -> None:
    """Put weights, optimizer and random generators back. The generation was checked by `find_newest_valid`.

    `resharded`: it was saved under another layout. Its generators belong to ranks that are no more.
    Raises UnfitStateError when the state does not fit the engine.
    """
    if resharded:
        load_resharded(engine, world, generation)
        return
    try:
        engine.load_checkpoint(str(generation), tag=ENGINE, load_lr_scheduler_states=False)
        restore_random_state(read_json(generation / f"random-{world.rank:05d}.json"), world)
    except Exception as error:
        if code_of(error) is not Exit.FAULT:
            raise
        raise UnfitStateError(f"{generation.name} does not fit: {type(error).__name__}: {error}") from error


def _write_json(folder: Path, name: str, value: Any) -> dict[str, FileEntry]:
    write_atomically(folder / name, json.dumps(value, sort_keys=True).encode())
    return {name: store.hash_file(folder / name)}


def _on_all_ranks(world: World, action: Callable[[], T], draft: Path) -> list[T]:
    """Every rank's result of `action`; when one rank's disk refuses, all end, and the draft is removed."""
    result, failure = None, None
    try:
        result = action()
    except OSError as error:
        failure = f"rank {world.rank}: {error}"
    answers = world.all_gather_object((result, failure))
    failures = [answer[1] for answer in answers if answer[1]]
    if failures:
        if world.rank == 0:
            shutil.rmtree(draft, ignore_errors=True)
        raise Ended(Exit.STORAGE, "storage", "; ".join(failures))
    return [answer[0] for answer in answers]
