"""Starts the ranks of one node through torchrun or DeepSpeed's launcher, and tells the truth about how they ended.

`python -m trainwright.runtime.launch.node_launcher --run DIR [--hostfile FILE] -- ARGUMENTS...`; a hostfile, which
DeepSpeed's launcher needs, chooses it. Two things differ from the plain launchers: a signal becomes the run's stop
file instead of a kill after 30 s, in which no large checkpoint can be saved; and our exit code is the one that the run
recorded, else that of the first rank that failed.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...spec.exit_codes import Exit
from ...spec.run_folder import RunFolder
from .deepspeed_launcher import run_deepspeed_launcher
from .exit_status import exit_file, log_fault


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the launcher with the arguments after `--`; the exit code of the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--hostfile", type=Path)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    _stop_file_on_signals(RunFolder(options.run))
    words = options.words[1:]
    code = run_deepspeed_launcher(words, options.hostfile) if options.hostfile else _torchrun(words, options.run)
    return _recorded(options.run, code)


def _torchrun(words: Sequence[str], run: Path) -> int:
    """Run torchrun here; the code of the first rank that failed (torchrun's own is always 1), 0 when none did."""
    # A node that ends first takes the agents' store with it; the others log a traceback for what is no failure. And how
    # a rank ended is said below.
    for module in ("agent.server.api", "multiprocessing.api"):
        logging.getLogger(f"torch.distributed.elastic.{module}").setLevel(logging.CRITICAL)
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    try:
        # torchrun would kill its ranks on the other signals, after 30 s; SIGQUIT still does.
        torchrun(["--signals-to-handle=SIGQUIT", *words])
    except ChildFailedError as error:
        # Ranks that only lost a peer are echoes of the one that was first.
        rank, first = min(
            error.failures.items(), key=lambda item: (item[1].exitcode == Exit.PEER_LOST, item[1].timestamp)
        )
        code = first.exitcode if first.exitcode >= 0 else 128 - first.exitcode
        sys.stderr.write(f"trainwright: rank {rank} ended with code {code}\n")
        if first.exitcode < 0:  # it could not say so itself
            log_fault(run, rank, f"rank {rank} was ended by signal {-first.exitcode}", "the run ends")
        return code
    return Exit.DONE


def _recorded(run: Path, code: int) -> int:
    try:
        return int(exit_file(run).read_text())
    except (OSError, ValueError):
        return code


def _stop_file_on_signals(run: RunFolder) -> None:
    def ask(number: int, frame: Any) -> None:
        del number, frame
        run.stop.touch()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, ask)


if __name__ == "__main__":
    sys.exit(main())
