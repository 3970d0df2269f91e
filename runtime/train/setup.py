"""Before the first step: find the checkpoint to resume from, refuse what cannot be resumed, build the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ...spec.events import FaultEvent, StartEvent, read_events
from ...spec.plan import Plan
from ...spec.run_folder import RunFolder
from ..checkpoint import save_restore, settings_diff
from ..checkpoint.branch_point import changes_of_branch
from ..checkpoint.save_restore import NewestValid
from ..data.dataset import open_dataset
from ..data.digests import data_digests, require_same
from ..data.shards import read_index
from ..energy import PhaseLedger, open_meter
from ..energy.cap import combine_caps, observe_cap
from ..energy.killed_span import killed_span
from ..engine.engine import build_engine, read_config
from ..huggingface.initial_weights import open_initial_weights
from ..launch.exit_status import exit_file
from ..logs.event_log import EventLog, last_attempt
from ..logs.progress_line import ProgressLine
from ..logs.tensorboard import TensorBoardLog
from ..parallel.world import World
from .copy_bundle_files import keep
from .deterministic import use_deterministic_kernels
from .device_log import DeviceLog
from .loop_state import LoopState
from .session import Instruments, Rank0Logs, Session
from .step_profile import StepProfile
from .stop_request import StopRequest


def build_session(bundle: Path, plan: Plan, run: RunFolder, world: World) -> Session:
    """Everything that must be there before the first step.

    Raises InputError when bundle, data or settings do not fit the run, Ended when no valid checkpoint.
    """
    if world.rank == 0:
        exit_file(run.path).unlink(missing_ok=True)
    torch.manual_seed(plan.training.seed)
    if plan.training.deterministic:
        use_deterministic_kernels()
    stop = StopRequest(run.stop)
    meter, ledger = open_meter(plan, world.local_rank), PhaseLedger()
    config = read_config(bundle, plan)
    train, validation = (open_dataset(plan, run, split) for split in ("train", "validation"))
    found = save_restore.find_newest_valid(world, run.checkpoints, plan)
    settings, digests = settings_diff.checkpoint_settings(plan, settings_diff.versions()), data_digests(run)
    state, changed = LoopState(), list[settings_diff.SettingChange]()
    if found.path is not None:
        content = found.read_state()
        changes = settings_diff.diff_settings(content["settings"], settings)
        changed = settings_diff.accept_changes(*changes_of_branch(changes, plan, run, content["state"]["step"]))
        require_same(run, content["digests"], digests)
        state = LoopState(**content["state"])
    engine = build_engine(plan, config, world, open_initial_weights(plan, run) if found.path is None else None)
    if found.path is not None:
        save_restore.restore(engine, world, found.path, resharded=any(change.reshards for change in changed))
    if run.events.exists():
        ledger.resume(read_events(run.events))
    save_restore.set_aside(world, run.checkpoints, found)
    voice = _open_logs(bundle, plan, run, state) if world.rank == 0 else None
    instruments = Instruments(meter, ledger, stop)
    kept = {"settings": settings, "digests": digests}
    logs = voice, DeviceLog(plan), StepProfile(run, world)
    session = Session(plan, run, world, engine, train, validation, instruments, state, *logs, kept)
    _log_start(session, found, changed)
    return session


def _open_logs(bundle: Path, plan: Plan, run: RunFolder, state: LoopState) -> Rank0Logs:
    attempt = last_attempt(run.events) + 1
    keep(bundle, run.attempt(attempt))
    if not run.plan.exists():  # started without a launch
        keep(bundle, run.path)
    line = ProgressLine(plan, state.step, state.position.last_step(plan))
    return Rank0Logs(EventLog(run.events, attempt), TensorBoardLog(run.path / "tensorboard", state.step), line)


def _log_start(session: Session, found: NewestValid, changed: list[settings_diff.SettingChange]) -> None:
    """The start event; then what was wrong with checkpoints, and which settings are new."""
    plan, world = session.plan, session.world
    cap = combine_caps(world.all_gather_object(observe_cap(plan) if world.local_rank == 0 else None))
    lost = killed_span(read_events(session.run.events)) if session.run.events.exists() else None
    source = session.charge_energy("startup").source
    session.log_event(
        StartEvent(
            step=session.state.step,
            last_step=session.state.position.last_step(plan),
            world_size=world.size,
            meter=source,
            measured=source in ("nvml", "rapl"),
            power_cap=cap,
            unigram_entropy=read_index(session.run.data).unigram_entropy,
            versions=session.kept["settings"]["versions"],
            changes=tuple(str(change) for change in changed),
        )
    )
    if lost:
        session.log_event(lost)
    for flaw in found.damaged:
        step = session.state.step
        session.log_event(FaultEvent(step=step, what=flaw, action=f"rewound to step {step}"))


def checkpoint_content(session: Session) -> dict[str, Any]:
    """What a checkpoint carries besides the engine's state."""
    return {
        **session.kept,
        "state": session.state.to_json(),
        "energy": session.instruments.ledger.state_dict(),
    }
