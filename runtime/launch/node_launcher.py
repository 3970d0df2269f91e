"""Starts the ranks of one node and reports the truth about how they ended.

`python -m trainwright.runtime.launch.node_launcher --run DIR --ranks N [--nodes N --node-rank N --address HOST
--port N] [--hostfile FILE] -- MODULE ARGUMENTS...`; a hostfile, which DeepSpeed's launcher needs, chooses it. A signal
becomes the run's stop file, since ranks that are killed cannot save; our exit code is the one that the run recorded,
else that of the first rank that failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ...spec.exit_codes import Exit, code_of_unusable
from ...spec.listening import listening_socket
from ...spec.plain_screen import guard_screens
from ...spec.run_folder import RunFolder
from ...spec.run_token import TOKEN, run_token
from .deepspeed_launcher import run_deepspeed_launcher
from .exit_status import record_failure, recorded_exit_code
from .lifeline import end_with_supervisor
from .local_ranks import LocalRanks, environments
from .tracker_processes import trackers

LOOPBACK = "127.0.0.1"
TRAINER = "trainwright.runtime.train"
_INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the ranks of this node to their end; the exit code of the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--ranks", type=int, required=True, help="ranks of each node")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--node-rank", type=int, default=0)
    parser.add_argument("--address", default=LOOPBACK, help="the first node's, as the others know it")
    parser.add_argument("--port", type=int, default=0, help="where the ranks meet on the first node; 0: any free one")
    parser.add_argument("--hostfile", type=Path)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    guard_screens(lossy=True)
    end_with_supervisor()
    _stop_file_on_signals(RunFolder(options.run))
    try:
        os.environ[TOKEN] = run_token(options.run)
        with trackers(RunFolder(options.run)) if _trains_first(options) else nullcontext():
            code = _deepspeed(options) if options.hostfile else _ranks(options)
    except OSError as error:
        code = code_of_unusable(error)
        record_failure(options.run, str(error), code)
        return code
    known = recorded_exit_code(options.run)
    return code if known is None else known


def _trains_first(options: argparse.Namespace) -> bool:
    """Whether these are the ranks that train, with the first among them, which writes the event log."""
    return options.node_rank == 0 and TRAINER in options.words


def _ranks(options: argparse.Namespace) -> int:
    """Start one process a device and wait for all."""
    total = options.nodes * options.ranks
    place = {"WORLD_SIZE": total, "MASTER_ADDR": options.address, "MASTER_PORT": options.port}
    if options.nodes == 1:  # nothing of it is for other machines
        place |= dict.fromkeys(_INTERFACES, "lo")
    listener = None
    if total > 1 and options.node_rank == 0:
        listener = listening_socket(options.address, options.port)
        place["MASTER_PORT"] = listener.getsockname()[1]

    ranks = LocalRanks(partial(_report_lost, options.run))
    first = options.node_rank * options.ranks
    try:
        descriptor = None if listener is None else listener.fileno()
        ranks.start(options.words[1:], environments(place, first, options.ranks), descriptor)
        if listener is not None:
            listener.close()  # the first rank has it
        return ranks.wait()
    finally:
        ranks.kill()


def _report_lost(run: Path, rank: int, what: str) -> None:
    record_failure(run, what, Exit.PEER_LOST, rank=rank)


def _deepspeed(options: argparse.Namespace) -> int:
    place = [f"--node_rank={options.node_rank}", f"--master_addr={options.address}", f"--master_port={options.port}"]
    return run_deepspeed_launcher([*place, "--no_local_rank", "--module", *options.words[1:]], options.hostfile)


def _stop_file_on_signals(run: RunFolder) -> None:
    def ask(number: int, frame: Any) -> None:
        del number, frame
        run.ask_to_stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, ask)


if __name__ == "__main__":
    sys.exit(main())
