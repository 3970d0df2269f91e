"""Tiny real runs: a bundle with the compiler's own ds_config.json, shards of random text, and torchrun over gloo."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

# Before anything imports torch or DeepSpeed, here and in the processes that the fork server makes.
os.environ |= {"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1"}

from trainwright.compiler.render.ds_config import deepspeed_config
from trainwright.runtime.data.shards import ShardWriter, file_sha256
from trainwright.runtime.launch.exit_status import exit_file
from trainwright.spec.dataset_index import Index, SourcePart
from trainwright.spec.layout import Layout
from trainwright.spec.plan import CarbonPlan, Device, Plan, Schedule
from trainwright.spec.run_folder import RunFolder
from trainwright.spec.sections import CorpusSource, Data, Model, Optimizer, Tokenizer, Training
from trainwright.tests.logged import logged_events

VOCABULARY = 128
LENGTH = 32
BATCH = 4


def make_plan(layout: Layout | None = None, steps: int = 4, **changes: object) -> Plan:
    """A plan of a 2-layer, 64-wide model. `changes` are dotted keys with `__`: `training__precision="bf16"`."""
    layout = layout or Layout(data=2, micro_batch=1, accumulation=2)
    raw = Plan(
        name="tiny",
        spec_sha256="0" * 64,
        model=Model(layers=2, hidden_size=64, ffn_size=96, heads=4, kv_heads=2, vocab_size=VOCABULARY),
        tokenizer=Tokenizer(vocab_size=VOCABULARY),
        data=Data(train=(CorpusSource(path="random"),), tokens=steps * BATCH * LENGTH),
        training=Training(
            sequence_length=LENGTH,
            global_batch={"value": BATCH, "unit": "sequences"},
            precision="fp32",
            optimizer=Optimizer(learning_rate=3e-3),
            validation={"every": {"value": 1000, "unit": "steps"}, "batches": 1},
        ),
        schedule=Schedule(
            steps=steps,
            warmup_steps=2,
            sequences_per_step=BATCH,
            tokens_per_step=BATCH * LENGTH,
            validate_every=1000,
            checkpoint_every=1000,
        ),
        layout=layout,
        device=Device(
            kind="cpu",
            name="CPU",
            count=layout.gpus,
            per_node=layout.gpus,
            power_cap_watts=None,
            power_cap_mode="assume-set",
            assumed_watts=30.0,
            peak_flops=1e11,
            interconnect="none",
        ),
        carbon=CarbonPlan(pue=1.1, intensity_kg_per_kwh=0.385, intensity_source="the test"),
    ).model_dump(mode="json")
    for key, value in changes.items():
        place, *inner = reversed(key.split("__"))
        section = raw
        for name in reversed(inner):
            section = section[name]
        section[place] = value
    return Plan.model_validate(raw)


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "trainwright.runtime.train",
        "torch.utils.tensorboard",
        "deepspeed.runtime.zero.muon.muon_optimizer",
        "torch._dynamo",
    ]
)


class Ranks:
    """The ranks of one start, forked from a process that has imported everything: seconds saved on each."""

    def __init__(
        self, arguments: list[str], environment: dict[str, str], ranks: int, output: Path, program: str = "rank.py"
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        common = environment | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(ranks)}
        path = str(Path(__file__).with_name(program))
        self.processes = []
        for rank in range(ranks):
            place = common | {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(ranks)}
            order = {"arguments": arguments, "environment": place, "output": str(output)}
            self.processes.append(FORKS.Process(target=runpy.run_path, args=(path, order), daemon=True))
            self.processes[-1].start()

    def wait(self, timeout: float) -> None:
        """Until every rank has ended."""
        end = time.monotonic() + timeout
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))
            assert process.exitcode is not None, "a rank did not end"

    def signal(self, number: int) -> None:
        """Send a signal to every rank."""
        for process in self.processes:
            os.kill(process.pid, number)

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.processes:
            process.kill()
            process.join()


class Launched:
    """The ranks as launch.sh starts them: through the node's launcher, in a process group of their own."""

    def __init__(self, arguments: list[str], environment: dict[str, str], ranks: int, output: Path) -> None:
        launcher = [sys.executable, "-m", "trainwright.runtime.launch.node_launcher", *arguments[2:]]
        command = [*launcher, f"--ranks={ranks}", "--", "trainwright.runtime.train", *arguments]
        with output.open("ab") as file:
            self.process = subprocess.Popen(
                command, env=environment, stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def wait(self, timeout: float) -> int:
        """Until the launcher has ended; the exit code."""
        return self.process.wait(timeout)

    def signal(self, number: int) -> None:
        """Send a signal to everything that was started."""
        os.killpg(self.process.pid, number)

    def end(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Workplace:
    """A bundle and a run folder, and what has been started in them."""

    bundle: Path
    run: RunFolder
    plan: Plan
    injected: Path
    started: list[Ranks | Launched] = field(default_factory=list)

    def write_bundle(self, plan: Plan) -> None:
        """Put another plan into the bundle."""
        self.plan = plan
        self.bundle.mkdir(exist_ok=True)
        (self.bundle / "plan.json").write_text(plan.model_dump_json())
        (self.bundle / "ds_config.json").write_text(json.dumps(deepspeed_config(plan)))

    def start(self, inject: str = "", how: type[Ranks | Launched] = Ranks) -> Ranks | Launched:
        """Start the ranks; as for the supervisor, how an earlier start ended says nothing about this one."""
        exit_file(self.run.path).unlink(missing_ok=True)
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TRAINWRIGHT_INJECT": inject}
        environment["TRAINWRIGHT_INJECTED"] = str(self.injected)
        arguments = ["--bundle", str(self.bundle), "--run", str(self.run.path)]
        self.started.append(how(arguments, environment, self.plan.layout.gpus, self.run.path / "output.txt"))
        return self.started[-1]

    def train(self, inject: str = "", timeout: float = 120) -> int:
        """Train to the end; the exit code that the run recorded."""
        self.start(inject).wait(timeout)
        return self.code()

    def code(self) -> int:
        """The exit code that the run recorded."""
        return int(exit_file(self.run.path).read_text())

    def events(self, kind: str = "") -> list[dict]:
        """The events of a kind, or all."""
        return logged_events(self.run.events, kind)

    def faults(self) -> list[str]:
        """What the faults of the run were."""
        return [event["what"] for event in self.events("fault")]

    def losses(self) -> dict[int, float]:
        """The loss of each step, as the last attempt at it logged it."""
        return {e["step"]: e["loss"] for e in self.events("step")}

    def output(self) -> str:
        """Everything printed."""
        return (self.run.path / "output.txt").read_text()

    def state(self) -> dict[str, str]:
        """SHA-256 of every file of the newest checkpoint: weights, optimizer, random generators."""
        newest = self.run.checkpoints / (self.run.checkpoints / "latest").read_text()
        files = json.loads((newest / "manifest.json").read_text())["files"]
        return {name: entry["sha256"] for name, entry in files.items() if name != "state.json"}

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Until the event log holds `text`."""
        end = time.monotonic() + timeout
        while not (self.run.events.exists() and text in self.run.events.read_text()):
            assert time.monotonic() < end, self.output()
            time.sleep(0.02)


def write_shards(run: RunFolder, plan: Plan, tokens: int = 20_000) -> None:
    """Shards as `prepare` leaves them, of random ids whose successor is often the next id: something to learn."""
    run.tokenizer.parent.mkdir(parents=True)
    run.tokenizer.write_bytes(b"not read by the loop")
    run.data.mkdir()
    generator = np.random.default_rng(0)
    parts = {}
    for split in ("train", "validation"):
        ids = np.cumsum(generator.integers(1, 4, tokens)) % plan.model.vocab_size
        writer = ShardWriter(run.data, f"{split}-00", "uint16")
        writer.write(ids.astype(np.uint16))
        writer.close()
        parts[split] = (
            SourcePart(path="random", documents=1, bytes=tokens, tokens=tokens, shards=tuple(writer.shards)),
        )
    index = Index(
        dtype="uint16",
        vocab_size=plan.model.vocab_size,
        begin_of_document=1,
        end_of_document=2,
        tokenizer_sha256=file_sha256(run.tokenizer),
        fingerprint="",
        unigram_entropy=0.0,
        **parts,
    )
    (run.data / "index.json").write_text(index.model_dump_json())


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A function that makes a workplace for a plan; all processes are ended afterwards."""
    made: list[Workplace] = []

    def make(plan: Plan) -> Workplace:
        folder = tmp_path_factory.mktemp("place")
        place = Workplace(folder / "bundle", RunFolder(folder / "run"), plan, folder / "injected")
        place.run.path.mkdir()
        write_shards(place.run, plan)
        place.write_bundle(plan)
        made.append(place)
        return place

    yield make
    for start in (start for place in made for start in place.started):
        start.end()


@pytest.fixture(scope="session")
def tiny_plan():
    """The function that makes plans."""
    return make_plan


@pytest.fixture(scope="session")
def launched():
    """Start ranks as launch.sh does."""
    return Launched


@pytest.fixture(scope="session")
def forked():
    """Start ranks quickly."""
    return Ranks
