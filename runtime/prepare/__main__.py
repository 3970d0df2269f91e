"""Before training: `python -m trainwright.runtime.prepare --bundle DIR --run DIR --root DIR [--step STEP ...]`.

Trains the tokenizer and writes the shards of a run, or finds them there and verifies them. Everything is made under a
temporary name and renamed when whole, so a killed start leaves no half; the next one takes up what is finished.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from ...spec.dataset_index import Index, SourcePart
from ...spec.events import PREPARATION_FAILED, DataEvent, FaultEvent
from ...spec.exit_codes import Exit
from ...spec.plain_screen import guard_screens
from ...spec.plan import read_plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ...spec.terminal import Terminal
from ..checkpoint.branch_point import take_over
from ..data.shards import read_index
from ..energy import PhaseLedger, open_meter
from ..launch.exit_status import Ended, code_of, record_exit_code
from ..launch.finished import finished_run
from ..logs.event_log import EventLog, last_attempt
from .job import Advance, Job
from .progress import progress
from .share import Share, Step
from .sources import source_lines, source_uses
from .workers import STAGES, log_path, take_worker_logs

# What a folder answers in which something else has the place of one of the run's files, or that is somebody else's.
NOT_OURS = {errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}
console = Terminal(stderr=True)


def prepare(job: Job) -> Index | None:
    """Make or verify tokenizer and shards, or do a step of it; the index where it is there.

    Raises InputError or OSError, and then leaves what was there before.

    Raises Ended(PREEMPTED) when somebody asks the run to stop meanwhile.
    """
    job.run.path.mkdir(parents=True, exist_ok=True)
    stop_between_blocks = _stopping(job)
    meter, ledger = open_meter(job.plan, local_rank=0), PhaseLedger()
    log = EventLog(log_path(job), last_attempt(job.run.events) + 1)
    try:
        first = job.share.step in ("all", "start")
        if first:
            take_over(job.plan, job.run, job.root)
        if first and job.plan.model.init_from is not None and job.trained is None:
            from ..huggingface.initial_weights import (
                stage_initial_weights,  # it needs torch, which would cost every other start seconds
            )

            stage_initial_weights(job.plan, job.run, job.root)
        for name, make in STAGES[job.share.step]:
            with progress(name, lambda: job.bytes, console, drawn=job.share.index == 0) as advance:
                done = make(job, stop_between_blocks(advance))
            ledger.charge_energy(name, meter.read())
            console.print(f"{name:9}  {done}", soft_wrap=True)
        if job.share.step not in ("all", "close"):
            return None
        index = read_index(job.run.data)
        log.write(DataEvent(sources=source_uses(job.plan, index)))
        take_worker_logs(job, log)
    except Exception as error:
        code = exit_code_of(error)
        if code is not Exit.PREEMPTED and job.share.step != "units":  # the last step makes it again
            action = f"exited with {code.name} ({code})"
            log.write(FaultEvent(what=f"{PREPARATION_FAILED}: {_reason(error)}", action=action))
            record_exit_code(job.run.path, code)
        raise
    finally:
        meter.close()
        for event in (*ledger.events(), *meter.events()):
            log.write(event)
        log.close()
    return index


def _stopping(job: Job) -> Callable[[Advance], Advance]:
    """What makes an `advance` look for the stop file. One that is there already was meant for an earlier start."""
    run, alone = job.run, job.share.step != "units"
    stale = alone and run.stop.exists()

    def stop_between_blocks(advance: Advance) -> Advance:
        def look(size: int) -> None:
            advance(size)
            if run.stop.exists() and not stale:
                if alone:  # the other workers are to see it as well
                    run.stop.unlink(missing_ok=True)
                raise Ended(Exit.PREEMPTED, "stop-file", "stopped before the first step; finished files are kept")

        return look

    return stop_between_blocks


def exit_code_of(error: BaseException) -> Exit:
    """The exit code of a failed preparation: a run folder that is not ours to fill is an input error."""
    if isinstance(error, OSError) and error.errno in NOT_OURS:
        return Exit.INPUT
    return code_of(error)


def _reason(error: Exception) -> str:
    if isinstance(error, InputError):
        return "; ".join(f"{problem.code}: {problem.message}" for problem in error.problems)
    return f"{error}" or type(error).__name__


def _say(name: str, parts: tuple[SourcePart, ...]) -> None:
    documents, tokens = sum(part.documents for part in parts), sum(part.tokens for part in parts)
    console.print(f"           {name}: {tokens:,} tokens of {documents:,} documents")


def _arguments() -> Job:
    parser = argparse.ArgumentParser(prog="trainwright.runtime.prepare", description="Make a run's tokenizer and data.")
    for name, meaning in (("bundle", "compiled bundle"), ("run", "run folder"), ("root", "folder of the corpus paths")):
        parser.add_argument(f"--{name}", type=Path, required=True, help=meaning)
    parser.add_argument("--step", choices=get_args(Step), default="all", help="of a preparation on several machines")
    parser.add_argument("--index", type=int, default=0, help="of this worker, in the step `units`")
    parser.add_argument("--count", type=int, default=1, help="workers in all")
    given = parser.parse_args()
    share = Share(given.step, given.index, given.count)
    return Job(read_plan(given.bundle), RunFolder(given.run), given.root, len(os.sched_getaffinity(0)), share)


def _explain(error: Exception) -> None:
    """Each problem with its remedy; for an internal error the traceback."""
    if not isinstance(error, InputError):
        refused = f"trainwright: run folder or datasets cannot be written: {error}; what was there before is intact"
        said = refused if isinstance(error, OSError) else traceback.format_exc()
        console.print(said, soft_wrap=True)
        return
    for problem in error.problems:
        place = f"{problem.place.file}:{problem.place.line}: " if problem.place else ""
        console.print(f"{place}error {problem.code} {problem.path}: {problem.message}", soft_wrap=True)
        console.print(f"  {problem.remedy}", soft_wrap=True)


def main() -> Exit:
    """Prepare as the command line says; the exit code."""
    guard_screens(lossy=True)
    try:
        job = _arguments()
    except InputError as error:
        _explain(error)
        return error.exit_code
    return prepare_and_report(job)


def prepare_and_report(job: Job) -> Exit:
    """Prepare, print what there is then, or what is wrong; the exit code."""
    try:
        if done := finished_run(job.plan, job.run):
            console.print(f"{job.run.path} is finished: {done}", soft_wrap=True)
            return Exit.DONE
        index = prepare(job)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Ended as end:
        console.print(f"trainwright: {end}", soft_wrap=True)
        return end.code
    except Exception as error:  # noqa: BLE001 - the last resort of a process: every failure has its exit code
        _explain(error)
        return exit_code_of(error)
    if index is None:
        return Exit.DONE
    _say("training", index.train)
    _say("held out", index.validation)
    for line in source_lines(job.plan, index):
        console.print(f"           {line}", soft_wrap=True)
    console.print(f"           {index.unigram_entropy:.2f} nats: baseline, the unigram entropy of the held-out text")
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
