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

from ...spec.atomic_files import write_whole
from ...spec.exit_codes import Exit
from ...spec.sections import Checkpointing
from ..engine.engine import random_state, restore_random_state
from ..launch.exit_status import Ended
from ..parallel.world import World
from . import store
from .store import ENGINE, FileEntry
from .universal import load_resharded

T = TypeVar("T")

STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Draft:
    """A generation that is being written; what it will hold is settled."""

    folder: Path
    step: int
    own: dict[str, FileEntry]  # this rank's small files, already written


@dataclass(frozen=True, slots=True)
class Saved:
    """A published generation."""

    path: Path
    step: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """The newest sound generation (None: none at all), and what was wrong with newer ones."""

    path: Path | None
    damaged: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """What state.json of the generation holds."""
        if self.path is None:
            raise FileNotFoundError("there is no checkpoint")
        return json.loads((self.path / STATE).read_bytes())


def draft(engine: Any, world: World, root: Path, content: dict[str, Any]) -> Draft:
    """Begin to write the generation of `content["state"]["step"]`. The engine may train on as soon as this returns.

    Raises Ended(STORAGE) on every rank when the disk of any of them refuses; the generations before stay as they were.
    """
    step = content["state"]["step"]
    folder = root / f".draft-{store.name_of(step)}"
    _together(world, lambda: store.draft(root, step) if world.rank == 0 else None, folder)
    engine.save_checkpoint(str(folder), tag=ENGINE, save_latest=False)

    def write_own() -> dict[str, FileEntry]:
        files = _write_json(folder, f"random-{world.rank:05d}.json", random_state(world))
        return files | (_write_json(folder, STATE, content) if world.rank == 0 else {})

    return Draft(folder, step, _together(world, write_own, folder)[world.rank])


def publish(engine: Any, world: World, begun: Draft, keep: Checkpointing) -> Saved:
    """Wait for the files of a draft, give it its name, and remove old generations. Raises Ended as `draft` does."""
    folder, root = begun.folder, begun.folder.parent
    files = store.merge(_together(world, lambda: engine.checkpoint_engine.take(folder) | begun.own, folder))

    def name() -> None:
        if world.rank == 0:
            store.publish(folder, begun.step, files)
            store.prune(root, keep.keep_last, keep.keep_every)

    _together(world, name, folder)
    return Saved(root / store.name_of(begun.step), begun.step, sum(entry.bytes for entry in files.values()))


def find(world: World, root: Path) -> Found:
    """The newest generation whose every file has its hash; ranks share the hashing.

    Raises Ended(CORRUPT) when there are generations but none is sound.
    """
    damaged: list[str] = []
    candidates = world.share(store.generations(root))[0]
    for generation in candidates:
        reports = world.share(store.damage(generation, (world.rank, world.size)))
        flaw = next((report for report in reports if report), None)
        if flaw is None:
            return Found(generation, tuple(damaged))
        damaged.append(flaw)
    if damaged:
        raise Ended(Exit.CORRUPT, "no checkpoint is sound", "; ".join(damaged))
    return Found(None, ())


def load(engine: Any, world: World, generation: Path, *, resharded: bool = False) -> None:
    """Put weights, optimizer and random generators back. The generation's hashes were checked by `find`.

    `resharded`: it was saved under another layout. Its generators belong to ranks that are no more.
    """
    if resharded:
        load_resharded(engine, world, generation)
    else:
        engine.load_checkpoint(str(generation), tag=ENGINE, load_lr_scheduler_states=False)
        restore_random_state(json.loads((generation / f"random-{world.rank:05d}.json").read_bytes()), world)


def _write_json(folder: Path, name: str, value: Any) -> dict[str, FileEntry]:
    write_whole(folder / name, json.dumps(value, sort_keys=True).encode())
    return {name: store.hash_file(folder / name)}


def _together(world: World, action: Callable[[], T], draft: Path) -> list[T]:
    """Every rank's result of `action`; when one rank's disk refuses, all end, and the draft is removed."""
    result, failure = None, None
    try:
        result = action()
    except OSError as error:
        failure = f"rank {world.rank}: {error}"
    answers = world.share((result, failure))
    failures = [answer[1] for answer in answers if answer[1]]
    if failures:
        if world.rank == 0:
            shutil.rmtree(draft, ignore_errors=True)
        raise Ended(Exit.STORAGE, "storage", "; ".join(failures))
    return [answer[0] for answer in answers]
