"""The ranks of a run as forks of this process, which has the libraries loaded: a start costs a second, not thirty."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path

from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle
from trainwright.compiler.render.write_bundle import write
from trainwright.runtime.launch.local_ranks import environments
from trainwright.runtime.launch.node_launcher import LOOPBACK
from trainwright.runtime.prepare.__main__ import prepare
from trainwright.runtime.prepare.job import Job
from trainwright.runtime.train.__main__ import main as train
from trainwright.spec.listening import LISTENER, listening_socket
from trainwright.spec.plan import read_plan
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.campaigns.runs import KINDS, LONGEST, content, make_project

STEPS = 60
GONE = 128 + signal.SIGKILL


def make_bundles(at: Path) -> None:
    """A corpus, and spec and bundle for each kind of run."""
    make_project(at, STEPS)
    for kind in range(len(KINDS)):
        write(compile_bundle(load(at / f"{kind}.yaml")), at / f"build/{kind}")


def log_of(run: RunFolder) -> Path:
    """What the starts of a run print. Each run has a folder, and so a store of data, of its own."""
    return run.path.with_name("log")


class Start:
    """The ranks of one start of a run, each of which prepares and trains as its script would have it do."""

    def __init__(self, project: Path, kind: int, run: RunFolder) -> None:
        self.bundle, self.run, self.project = project / f"build/{kind}", run, project
        ranks = KINDS[kind][0]
        listener = listening_socket(LOOPBACK, 0)
        port = listener.getsockname()[1]
        place = {"WORLD_SIZE": ranks, "MASTER_ADDR": LOOPBACK, "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo"}
        variables = environments(place, 0, ranks)
        variables[0][LISTENER] = str(listener.fileno())
        self.prepared = os.pipe()
        self.alive = {self._fork(number, each) for number, each in enumerate(variables)}
        self.code = 0
        listener.close()
        for end in self.prepared:
            os.close(end)

    def _fork(self, rank: int, variables: dict[str, str]) -> int:
        if child := os.fork():
            return child
        code = 1
        vars(forkserver)["_forkserver"].__init__()  # the parent's fork server is none of this process's children
        try:
            self.run.path.parent.mkdir(exist_ok=True)
            os.environ.update(variables | {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu"})
            log = os.open(log_of(self.run), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            for descriptor in (1, 2):
                os.dup2(log, descriptor)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            code = self._work(rank)
        except BaseException:  # noqa: BLE001 - a fork that went on would be a second pytest
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _work(self, rank: int) -> int:
        os.close(self.prepared[rank != 0])  # so that the first rank alone keeps it from its end
        if rank == 0:
            prepare(Job(read_plan(self.bundle), self.run, self.project, workers=1))
            os.close(self.prepared[1])
        else:
            os.read(self.prepared[0], 1)  # until the first rank has prepared, or is gone
        try:
            train(["--bundle", str(self.bundle), "--run", str(self.run.path)])
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    def wait(self, until: float) -> None:
        """Wait for the ranks until a time; one that ends otherwise than well takes the others along."""
        while self.alive and time.monotonic() < until:
            for rank in list(self.alive):
                child, status = os.waitpid(rank, os.WNOHANG)
                if child:
                    self.alive.discard(rank)
                    self.code = self.code or os.waitstatus_to_exitcode(status)
            if self.code:
                self.kill()
            time.sleep(0.005)

    def kill(self) -> None:
        """Kill -9 of all that are left."""
        for rank in self.alive:
            with suppress(ProcessLookupError):
                os.kill(rank, signal.SIGKILL)
            os.waitpid(rank, 0)
            self.code = self.code or GONE
        self.alive.clear()


def whole(project: Path, kind: int) -> tuple[dict[str, object], float]:
    """What an undisturbed run of a kind ends with, and the seconds that it took."""
    began = time.monotonic()
    start = Start(project, kind, run := RunFolder(project / f"whole-{kind}/t"))
    start.wait(began + LONGEST)
    assert (start.alive, start.code) == (set(), 0), log_of(run).read_text()
    return content(run), time.monotonic() - began
