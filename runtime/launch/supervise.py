"""Runs node.sh here: holds the run folder's lock, saves and exits on Ctrl-C, restarts after a lost process.

`python -m trainwright.runtime.launch.supervise --run DIR [--bundle DIR --root DIR] -- COMMAND...` admits the bundle to
the run first, if there is one; exits with the code of spec/exit_codes.py.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...spec.exit_codes import Exit, code_of_unusable
from ...spec.plain_screen import guard_screens
from ...spec.plan import read_plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from .admit import Decision, admit, decide, say, say_decision, say_problems
from .exit_status import exit_file
from .lifeline import SUPERVISOR, bound_to_us
from .lock import hold, sign
from .restart import HOST_TIMEOUT, final_exit_code

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


class Supervisor:
    """One command, started again while it makes progress, and what signals mean to it.

    The command is a process group of its own: Ctrl-C reaches only us, so that nothing is torn down before it has saved.
    """

    def __init__(self, run: RunFolder, command: Sequence[str], lock: int) -> None:
        self.run = run
        self.command = list(command)
        self.lock = lock
        self.stop_requests = 0
        self.child: subprocess.Popen[bytes] | None = None

    def run_to_end(self) -> int:
        """Run to the end; the exit code."""
        self.run.stop.unlink(missing_ok=True)
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        host_timeout = 0  # at the first start a host that does not answer is a mistake
        while not self.stop_requests:
            code = self._once(host_timeout)
            if self.stop_requests or self.run.stop.exists():
                return Exit.PREEMPTED if code < 0 or code > 128 else code
            if code == Exit.PREEMPTED:
                return code
            answer = final_exit_code(self.run, code)
            if answer is not None:
                return answer
            say(f"the run ended with code {code}; starting it again")
            host_timeout = HOST_TIMEOUT
        return Exit.PREEMPTED

    def _once(self, host_timeout: int) -> int:
        exit_file(self.run.path).unlink(missing_ok=True)
        environment = {**os.environ, "TRAINWRIGHT_HOST_TIMEOUT": str(host_timeout), SUPERVISOR: str(os.getpid())}
        self.child = subprocess.Popen(
            self.command,
            env=environment,
            start_new_session=True,
            pass_fds=(self.lock,),
            preexec_fn=bound_to_us(),  # noqa: PLW1509 - there is one thread here
        )
        if self.stop_requests:  # while it was being started
            self._forward_stop()
        code = self.child.wait()
        _signal_group(self.child.pid, signal.SIGKILL)  # nothing of a start outlives it
        self.child = None
        return code if code >= 0 else 128 - code

    def _on_signal(self, number: int, frame: Any) -> None:
        del number, frame
        self.stop_requests += 1
        self._forward_stop()

    def _forward_stop(self) -> None:
        if self.child is None:
            return
        if self.stop_requests == 1:
            say("saving a checkpoint, then exiting; press again to exit without saving")
            self.run.ask_to_stop()
            _signal_group(self.child.pid, signal.SIGTERM)
        else:
            _signal_group(self.child.pid, signal.SIGKILL)


def _signal_group(leader: int, number: int) -> None:
    """Signal a start and all that it left; nothing when all is gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Supervise the command on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    guard_screens(lossy=True)
    run = RunFolder(options.run)
    try:
        if options.bundle and not run.lock.exists():
            decide(read_plan(options.bundle), run, options.root)  # a refusal leaves no lock file behind
        with hold(run) as lock:
            decision = admit(options.bundle, run, options.root) if options.bundle else Decision()
            say_decision(decision, run)
            if decision.finished:
                return Exit.DONE
            sign(lock)
            return Supervisor(run, options.command[options.command[:1] == ["--"] :], lock).run_to_end()
    except InputError as error:
        say_problems(error.problems)
        return error.exit_code
    except OSError as error:
        say(f"cannot use {error.filename or run.path}: {error.strerror}")
        return code_of_unusable(error)


if __name__ == "__main__":
    sys.exit(main())
