"""How a training process ends: which exit code stands for which failure, and the file that carries it to the launcher.

`RUN/exit_code` holds the code of the run, since a launcher sees only the ranks of its own node; launch.sh returns it.
Under DeepSpeed's launcher an end that all ranks agreed on leaves through exit status 0 (it then stays silent); an end
that only one rank knows of leaves through its real code, so that the launcher takes the others down.
"""

from __future__ import annotations

import os
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import NoReturn

from ...spec.atomic_files import write_atomically
from ...spec.events import FaultEvent
from ...spec.exit_codes import DISK_ERRORS, Exit
from ...spec.foreign_files import read_foreign
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ..logs.event_log import EventLog, last_attempt
from .known_faults import known_fault

_DEEPSPEED = "CROSS_SIZE"  # a variable that DeepSpeed's launcher sets


class Ended(Exception):  # noqa: N818 - an end is not always an error
    """The run ends for a known reason that all ranks agreed on."""

    def __init__(self, code: Exit, reason: str, message: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(message or reason)


class UnfitStateError(Exception):
    """State that has its hash, and cannot be loaded all the same."""


def code_of(error: BaseException) -> Exit:
    """The exit code of a failure."""
    if isinstance(error, Ended):
        return error.code
    if isinstance(error, InputError):
        return error.exit_code
    if isinstance(error, UnfitStateError):
        return Exit.CORRUPT
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return Exit.STORAGE
    known = known_fault(error)
    return known.code if known else Exit.FAULT


def exit_file(run: Path) -> Path:
    """Where the launcher finds the exit code of a run."""
    return run / "exit_code"


def record_exit_code(run: Path, code: Exit) -> None:
    """Write the exit code. The first cause stands, but a cause is worth more than `PEER_LOST`, which is its echo."""
    if recorded_exit_code(run) in (None, Exit.PEER_LOST):
        write_atomically(exit_file(run), f"{int(code)}\n".encode())


def recorded_exit_code(run: Path) -> Exit | None:
    """The code that the run ended with; None when it ended without one."""
    try:
        return Exit(int(read_foreign(exit_file(run), 16)))
    except (OSError, ValueError):
        return None


def record_end(run: Path, end: Ended) -> None:
    """Say and record an end that all ranks share; rank 0 speaks for all."""
    if rank_here() != 0:
        return
    if end.code not in (Exit.DONE, Exit.PREEMPTED):
        record_failure(run, f"{end}", end.code)
    else:
        record_exit_code(run, end.code)


def process_status(code: Exit) -> int:
    """The exit status of this process for an end that all ranks share."""
    return 0 if _DEEPSPEED in os.environ else code


def rank_here() -> int:
    """This process's rank, before and after there is a world."""
    return int(os.environ.get("RANK", "0"))


def exit_failed(run: Path, error: Exception) -> NoReturn:
    """End this process for a failure that the other ranks do not know of.

    Not by way of the interpreter's normal end, which would wait for collectives that nobody answers any more.
    """
    code, details = code_of(error), None
    if known := known_fault(error):
        details = f"{error}\n  {known.advice}\n"
    elif code is Exit.FAULT:
        details = "".join(traceback.format_exception(error))
    if isinstance(error, InputError):
        # Every rank finds the same: one a node says it.
        problems = error.problems if os.environ.get("LOCAL_RANK", "0") == "0" else ()
        details = "".join(f"{p.code} {p.path}: {p.message}\n  {p.remedy}\n" for p in problems)
    record_failure(run, str(error), code, details)
    os._exit(code)


def record_failure(run: Path, what: str, code: Exit, details: str | None = None, rank: int | None = None) -> None:
    """Report, log and record why a rank, by default this one, alone is about to exit; never fails."""
    rank = rank_here() if rank is None else rank
    _say(rank, f"{what}\n" if details is None else details)
    for keep in (partial(record_exit_code, run, code), partial(log_fault, run, rank, what, f"exited with {code.name}")):
        try:
            keep()
        except OSError as refused:
            if code is not Exit.STORAGE:  # which has been said
                _say(rank, f"{refused}\n")


def log_fault(run: Path, rank: int, what: str, action: str) -> None:
    """Append a fault to the log of a run that this process does not otherwise write."""
    path = RunFolder(run).events
    log = EventLog(path, last_attempt(path))
    log.write(FaultEvent(rank=rank, what=what, action=action))
    log.close()


def _say(rank: int, text: str) -> None:
    sys.stderr.write(f"trainwright: rank {rank}: {text}" if text else "")
    sys.stderr.flush()
