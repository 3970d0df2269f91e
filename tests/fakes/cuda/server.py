"""Starts ranks by forking a process that has imported torch, DeepSpeed and the trainer, which takes seconds each time.

In: a line of JSON for a job: the module to run as __main__, its arguments, and for each rank its environment and the
file for what it prints. Out: a line with the exit status of every rank, negative for a signal.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DS_ACCELERATOR", "cuda")

PRELOADED = (
    "deepspeed",
    "deepspeed.compile.backend",  # and torch's Inductor, which building an engine imports
    "deepspeed.runtime.zero.muon.muon_optimizer",
    "torch.utils.tensorboard",
    "torch.distributed.tensor.experimental",
    "torch._export.passes.add_runtime_assertions_for_constraints_pass",
    "trainwright.runtime.train.__main__",
)


def become(job: dict[str, Any], rank: dict[str, Any]) -> None:
    """Be this rank: never returns."""
    output = os.open(rank["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(rank["environment"])
    sys.argv = [job["module"], *job["arguments"]]
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
    sys.exit(0)


def finish(children: list[int], seconds: float) -> list[int]:
    """Wait for all; those that take longer are killed."""
    codes: dict[int, int] = {}
    end = time.monotonic() + seconds
    while len(codes) < len(children):
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            codes[pid] = os.waitstatus_to_exitcode(status)
        elif time.monotonic() > end:
            for child in set(children) - set(codes):
                os.kill(child, signal.SIGKILL)
            end = float("inf")
        else:
            time.sleep(0.02)
    return [codes[child] for child in children]


def main() -> None:
    """Serve until the input ends."""
    sys.path[:] = [path for path in sys.path if path != str(Path(__file__).parent)]
    for module in PRELOADED:
        importlib.import_module(module)
    from trainwright.tests.fakes.cuda.marks import install

    install()
    for line in sys.stdin:
        job = json.loads(line)
        children: list[int] = []
        for rank in job["ranks"]:
            child = os.fork()
            if child == 0:
                become(job, rank)
            children.append(child)
        sys.stdout.write(json.dumps(finish(children, job["seconds"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
