"""Compiles a spec, prepares its data on the CPU, and runs its ranks on pretend devices."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import yaml

from trainwright import api
from trainwright.runtime.huggingface.export import export
from trainwright.spec.plan import read_plan
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.fakes.cuda.trace import Trace, read_trace
from trainwright.tests.logged import logged_events

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ENVIRONMENT = ROOT / ".venv-device"
PYTHON = ENVIRONMENT / "bin" / "python"
SECONDS = 300  # of a start, on a machine that has much else to do; a rank that waits for another has as long
A100, H100 = "80", "90"


@dataclass(frozen=True)
class Attempt:
    """What the ranks of one start did."""

    codes: list[int]
    outputs: list[str]
    traces: list[Trace]


class Server:
    """The process that forks ranks; see server.py."""

    def __init__(self, library: Path) -> None:
        self.library = library
        variables = {**os.environ, "LD_LIBRARY_PATH": str(library), "OMP_NUM_THREADS": "1"}
        command = [PYTHON, "-W", "ignore", HERE / "server.py"]
        self._process = subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, job: dict[str, Any]) -> list[int]:
        """The exit status of every rank of a job."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@dataclass(frozen=True)
class Machine:
    """Pretend devices: what starts ranks on them, which device, and what else is in their environment."""

    server: Server
    capability: str = A100
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def variables(self, rank: int, size: int, log: Path) -> dict[str, str]:
        """The environment of one rank. Without the caching allocator new memory is zero: equal on all ranks."""
        here = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "PRETEND_DEVICES": size}
        return {
            **os.environ,
            "PRETEND_CAPABILITY": self.capability,
            "PRETEND_LOG": str(log),
            "PYTORCH_NO_CUDA_MEMORY_CACHING": "1",
            "OMP_NUM_THREADS": "1",
            "PRETEND_TIMEOUT": str(SECONDS),
            "MASTER_ADDR": "127.0.0.1",
            **{name: str(value) for name, value in here.items()},
            **self.environment,
        }

    def start(self, module: str, arguments: list[str], size: int, log: Path) -> Attempt:
        """Run a module once a rank, all at a time, until the last has ended."""
        outputs = [log.with_name(f"{log.name}.{rank}.out") for rank in range(size)]
        with TemporaryDirectory(prefix="pretend-", dir=_shared_memory()) as exchange:
            shared = {"MASTER_PORT": str(_free_port()), **({"PRETEND_EXCHANGE": exchange} if size > 1 else {})}
            ranks = [
                {"environment": self.variables(rank, size, log) | shared, "output": str(output)}
                for rank, output in enumerate(outputs)
            ]
            job = {"module": module, "arguments": arguments, "ranks": ranks, "seconds": SECONDS}
            codes = self.server.run(job)
        logs = (log.with_name(f"{log.name}.{rank}") for rank in range(size))
        texts = [output.read_text(encoding="utf-8", errors="replace") for output in outputs]
        return Attempt(codes, texts, [read_trace(path) for path in logs if path.exists()])


@dataclass
class PretendRun:
    """A compiled spec and its run folder."""

    machine: Machine
    folder: Path
    root: Path
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    @property
    def bundle(self) -> Path:
        """The compiled bundle."""
        return self.folder / "bundle"

    @property
    def run(self) -> RunFolder:
        """The run folder."""
        return RunFolder(self.folder / "run")

    def compile(self, spec: Mapping[str, Any], *settings: str) -> None:
        """Compile a spec, with KEY=VALUE settings."""
        path = self.root / f"{self.folder.name}.yaml"
        path.write_text(yaml.safe_dump(dict(spec)), encoding="utf-8")
        shutil.rmtree(self.bundle, ignore_errors=True)
        api.write_bundle(api.compile(api.load(path, settings)), self.bundle)

    def prepare(self) -> None:
        """Make tokenizer and shards."""
        options = ("--bundle", self.bundle, "--run", self.run.path, "--root", self.root)
        _run(sys.executable, "-m", "trainwright.runtime.prepare", *map(str, options))

    def train(self, **environment: str) -> Attempt:
        """Train until it ends; `STOP_AFTER` is the number of steps after which it is asked to stop."""
        size = read_plan(self.bundle).layout.gpus
        log = self.folder / f"log-{len(self.attempts)}"
        given = exported(self.bundle / "env.sh") | {"STOP_FILE": str(self.run.stop)}
        machine = replace(self.machine, environment=given | self.machine.environment | environment)
        arguments = ["--bundle", str(self.bundle), "--run", str(self.run.path)]
        self.attempts.append(machine.start("trainwright.runtime.train", arguments, size, log))
        return self.attempts[-1]

    def export(self, folder: Path) -> None:
        """Export the newest checkpoint to `folder`, on the CPU, which DeepSpeed chooses by the environment."""
        with patch.dict(os.environ):
            export(self.run, folder)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The run's events of one kind."""
        return logged_events(self.run.events, kind)


def exported(script: Path) -> dict[str, str]:
    """What a bundle's env.sh exports."""
    command = ["bash", "-euc", 'source "$1"; env -0', "bash", str(script)]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _shared_memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - tmpfs; else the usual temporary folder
