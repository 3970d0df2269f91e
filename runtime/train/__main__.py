"""Training, from top to bottom: `python -m trainwright.runtime.train --bundle DIR --run DIR`, one process a device.

In: a bundle (plan.json, ds_config.json) and a run folder that `prepare` filled with tokenizer and shards. Out: events,
TensorBoard, checkpoints, and the exit code of spec/exit_codes.py in RUN/exit_code. Launched again, it resumes from the
newest sound checkpoint as if it had never stopped.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from ...spec.events import StepEvent, StopEvent, ValidationEvent
from ...spec.exit_codes import Exit
from ...spec.plain_screen import guard_screens
from ...spec.plan import read_plan
from ...spec.run_folder import RunFolder
from ..engine.optimizer import apply_hyperparameters
from ..launch.exit_status import Ended, code_of, exit_failed, process_status, record_end, record_failure
from ..launch.finished import finished_run
from ..launch.heartbeat import start_heartbeat
from ..launch.lifeline import end_with_supervisor
from ..launch.lock import hold_as_rank
from ..parallel.pipeline_schedule import forward_passes
from ..parallel.world import destroy_process_group, init_process_group
from . import anomaly_detection, checkpointing, fault_injection
from .anomaly_policy import compare_replicas, handle_anomalies, loss_spiked, over_budget
from .memory_snapshot import keep_memory_snapshot
from .session import Session
from .setup import build_session
from .step import StepInputs, run_step
from .step_votes import StepVotes
from .watchdog import Watchdog


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and exit with the code that says how it ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args(arguments)
    guard_screens(lossy=True)
    end_with_supervisor()
    start_heartbeat()
    try:
        train(options.bundle, RunFolder(options.run))
    except Ended as end:
        record_end(options.run, end)
        destroy_process_group()
        sys.exit(process_status(end.code))
    except Exception as error:  # noqa: BLE001 - only this rank knows: it must go at once, so that the others notice
        if code_of(error) is Exit.MEMORY and torch.cuda.is_initialized():
            keep_memory_snapshot(RunFolder(options.run))
        exit_failed(options.run, error)


def train(bundle: Path, run: RunFolder) -> None:
    """Run the plan. Ends by raising: `Ended` with the reason that all ranks share, or this rank's own failure."""
    plan = read_plan(bundle)
    if done := finished_run(plan, run):  # started by a scheduler; a launch would have said so
        raise Ended(Exit.DONE, "done", f"{run.path} is finished: {done}")
    hold_as_rank(run)  # a rank that outlives its launcher keeps the next one out
    world = init_process_group(plan)
    watchdog = (
        Watchdog(world.rank, world.size, partial(record_failure, run.path, code=Exit.PEER_LOST))
        if world.size > 1
        else None
    )
    try:
        session = build_session(bundle, plan, run, world)
        try:
            loop(session)
        except Ended as end:
            finish(session, end)
            raise
    finally:
        if watchdog is not None:
            watchdog.stop()


def loop(session: Session) -> None:
    """Step, validate, save, until something ends it."""
    schedule, state = session.plan.schedule, session.state
    if over := over_budget(session):
        raise Ended(Exit.BUDGET, over)
    while state.position.steps_left(session.plan):
        votes = train_step(session)
        stop = votes.stop_reason
        if votes.checkpoint_written == session.world.size:
            checkpointing.commit(session)
        if state.step % anomaly_detection.CHECK_EVERY == 0:
            compare_replicas(session)
        if profiled := session.profile.end_step(state.step):
            session.log_event(profiled)
        if votes.profile_asked:
            session.profile.begin()
        last = not state.position.steps_left(session.plan)
        if last or state.step % schedule.validate_every == 0:
            validate(session)
        over = over_budget(session)
        if last or votes.checkpoint_due or stop or over:
            save(session, wait=bool(last or stop or over))
        if stop or over:
            raise Ended(Exit.BUDGET if over else Exit.PREEMPTED, over or stop)
    raise Ended(Exit.DONE, "done")


def train_step(session: Session) -> StepVotes:
    """Run the next step and log it; what the ranks agreed on in it."""
    plan, state, began = session.plan, session.state, time.monotonic()
    number, samples = state.step + 1, state.position.next_samples(plan)
    fault_injection.kill_if_due(session.world.rank, number)
    rate = state.position.learning_rate(plan)
    apply_hyperparameters(session.engine.optimizer, plan.training.optimizer, rate)
    outcome = run_step(
        StepInputs(
            session.engine,
            session.world,
            replace(session.train, layout=plan.layout.with_batch(state.position.batch(plan))),
            number,
            range(samples.start + state.rewound_samples, samples.stop + state.rewound_samples),
            votes=partial(own_votes, session),
            must_skip=partial(loss_spiked, session) if plan.training.loss_spike.action == "skip" else None,
        )
    )
    fault_injection.flip_bit_if_due(session.engine.module, session.world.rank, number)
    reading = session.charge_energy("train", outcome.votes.meter)
    state.step, state.samples = number, samples.stop
    seconds = time.monotonic() - began
    speed = len(samples) * plan.training.sequence_length / seconds
    session.log_event(
        StepEvent(
            step=number,
            tokens=state.samples * plan.training.sequence_length,
            loss=outcome.loss,
            grad_norm=outcome.gradient_norm,
            learning_rate=rate,
            seconds=seconds,
            tokens_per_second=speed,
            mfu=mfu(session, speed),
            energy_kwh=session.instruments.ledger.kwh,
            power_watts=reading.watts,
            memory_bytes=memory(session),
        )
    )
    if session.devices.is_due(outcome.own_seconds, number):
        session.log_devices()
    handle_anomalies(session, outcome)
    return outcome.votes


def own_votes(session: Session, loss_sum: float) -> StepVotes:
    """What this rank adds to the step's all-reduce."""
    stop, schedule = session.instruments.stop, session.plan.schedule
    first = session.world.rank == 0
    number = session.state.step + 1
    if schedule.checkpoint_seconds is not None:
        due = first and time.monotonic() - session.last_checkpoint >= schedule.checkpoint_seconds
    else:
        due = first and schedule.checkpoint_every is not None and number % schedule.checkpoint_every == 0
    return StepVotes(
        loss_sum,
        signalled=stop.signalled,
        stop_file=first and stop.file_exists(),
        checkpoint_due=due,
        checkpoint_written=checkpointing.is_written(session),
        profile_asked=first and session.profile.is_asked_for(),
        meter=session.instruments.meter.read(),
    )


@torch.no_grad()
def validate(session: Session) -> None:
    """The mean loss over the held-out batches, always the same ones."""
    session.charge_energy("train")
    began, batches = time.monotonic(), session.plan.training.validation.batches
    session.engine.eval()
    world, layout, state = session.world, session.plan.layout, session.state
    turns, size = layout.accumulation, layout.global_batch
    steps = (range(start, start + size) for start in range(0, batches * size, size))
    held_out = (session.validation.batch(step, turn, world.data_rank) for step in steps for turn in range(turns))
    passes = forward_passes(session.engine, world, held_out, batches * turns)
    losses = [passed.output for passed in passes if world.stage.last]
    session.engine.train()
    total, count = world.all_reduce_sum([float(sum(losses)), len(losses)])
    session.charge_energy("validate")
    seconds = time.monotonic() - began
    tokens = state.samples * session.plan.training.sequence_length
    session.log_event(ValidationEvent(step=state.step, tokens=tokens, loss=total / count, seconds=seconds))


def save(session: Session, *, wait: bool) -> None:
    """Write a checkpoint, after a look at the replicas: what is saved must be sound."""
    compare_replicas(session)
    checkpointing.commit(session)  # the one before, if it is still being written
    checkpointing.start(session)
    if wait or not session.plan.training.checkpoint.asynchronous:
        checkpointing.commit(session)


def finish(session: Session, end: Ended) -> None:
    """The last words: phases and the stop event."""
    with suppress(Ended):  # why the run ends says more than that the disk is full as well
        checkpointing.commit(session)
    if session.devices.steps:
        session.log_devices()
    session.instruments.meter.close()  # its last reading is exact, and its open gaps are settled
    session.charge_energy("train")
    session.flush_phases()
    energy = session.instruments.ledger.kwh
    session.log_event(StopEvent(step=session.state.step, reason=end.reason, exit_code=int(end.code), energy_kwh=energy))
    session.close()
    if session.world.rank == 0 and end.code is Exit.PREEMPTED:
        session.run.stop.unlink(missing_ok=True)  # honoured: the next launch must not stop on it


def mfu(session: Session, tokens_per_second: float) -> float | None:
    """Model FLOPs utilisation against the peak of all devices; None where the peak is unknown."""
    plan = session.plan
    if plan.device.peak_flops is None:
        return None
    flops = plan.model.shape.training_flops(plan.training.sequence_length)
    return tokens_per_second * flops / (plan.device.peak_flops * plan.device.count)


def memory(session: Session) -> int:
    """Peak memory of this process in bytes: the device's on a GPU, resident memory on a CPU."""
    if session.world.device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
