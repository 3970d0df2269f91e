"""Before the first step: find the checkpoint to go on from, refuse what must not go on, build the engine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ...spec.plan import Plan
from ...spec.run_folder import RunFolder, read_events
from ..checkpoint import save_restore, settings_diff
from ..checkpoint.save_restore import Found
from ..data.dataset import open_dataset
from ..data.shards import read_index
from ..energy import PhaseLedger, open_meter
from ..energy.cap import combine, observe
from ..energy.killed_span import lost_span
from ..engine.engine import read_config, start_engine
from ..huggingface.initial_weights import given_weights
from ..launch.exit_status import exit_file
from ..logs.event_log import EventLog, last_attempt
from ..logs.progress_line import Line
from ..logs.tensorboard import Board
from ..parallel.world import World
from .copy_bundle_files import keep
from .loop_state import State
from .session import Instruments, Session, Voice
from .stop_request import StopRequest

PACKAGES = ("torch", "deepspeed", "trainwright")  # whose versions may change the numbers


def begin(bundle: Path, plan: Plan, run: RunFolder, world: World) -> Session:
    """Everything that must be there before the first step.

    Raises InputError when bundle, data or settings do not fit the run, Ended when no checkpoint is sound.
    """
    if world.rank == 0:
        exit_file(run.path).unlink(missing_ok=True)
    torch.manual_seed(plan.training.seed)
    stop = StopRequest(run.stop)
    meter, ledger = open_meter(plan, world.local_rank), PhaseLedger()
    config = read_config(bundle, plan)
    train, validation = (open_dataset(plan, run, split) for split in ("train", "validation"))
    found = save_restore.find(world, run.checkpoints, plan)
    settings = settings_diff.settings(plan, versions())
    state, changed = State(), list[settings_diff.Change]()
    if found.path is not None:
        content = found.content()
        changed = settings_diff.accept(settings_diff.changes(content["settings"], settings), plan.training.on_change)
        state = State(**content["state"])
    engine = start_engine(plan, config, world, given_weights(plan, run))
    if found.path is not None:
        save_restore.load(engine, world, found.path, resharded=any(change.reshards for change in changed))
    if run.events.exists():
        ledger.resume(read_events(run.events))
    if world.rank == 0:
        keep(bundle, run)
    voice = _voice(plan, run, state.step) if world.rank == 0 else None
    instruments = Instruments(meter, ledger, stop)
    session = Session(plan, run, world, engine, train, validation, instruments, state, voice, settings)
    _announce(session, found, changed)
    return session


def versions() -> Mapping[str, str]:
    """The packages that decide about numbers, and Python."""
    return {**{name: version(name) for name in PACKAGES}, "python": platform.python_version()}


def _voice(plan: Plan, run: RunFolder, step: int) -> Voice:
    log = EventLog(run.events, last_attempt(run.events) + 1)
    return Voice(log, Board(run.path / "tensorboard", step), Line(plan, step))


def _announce(session: Session, found: Found, changed: list[settings_diff.Change]) -> None:
    """The start event; then what was wrong with checkpoints, and which settings are new."""
    plan, world = session.plan, session.world
    cap = combine(world.share(observe(plan) if world.local_rank == 0 else None))
    lost = lost_span(read_events(session.run.events)) if session.run.events.exists() else None
    source = session.charge("idle").source
    session.tell(
        "start",
        step=session.state.step,
        world_size=world.size,
        meter=source,
        measured=source in ("nvml", "rapl"),
        power_cap=asdict(cap),
        unigram_entropy=read_index(session.run.data).unigram_entropy,
        versions=session.remembered["versions"],
        changes=[str(change) for change in changed],
    )
    if lost:
        session.tell(**lost)
    for flaw in found.damaged:
        session.tell(
            "fault", step=session.state.step, rank=None, what=flaw, action=f"went back to step {session.state.step}"
        )


def remembered(session: Session) -> dict[str, Any]:
    """What a checkpoint carries besides the engine's state."""
    return {
        "settings": session.remembered,
        "state": session.state.to_json(),
        "energy": session.instruments.ledger.state_dict(),
    }
