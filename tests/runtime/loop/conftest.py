"""Tiny real runs: a bundle with the compiler's own ds_config.json, shards of random text, and torchrun over gloo."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from trainwright.compiler.render.ds_config import deepspeed_config
from trainwright.runtime.data.shards import Index, ShardWriter, SourcePart, file_sha256
from trainwright.spec.layout import Layout
from trainwright.spec.plan import CarbonPlan, Device, Plan, Schedule
from trainwright.spec.run import RunFolder, read_events
from trainwright.spec.sections import Data, Model, Optimizer, Source, Tokenizer, Training

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
        data=Data(train=(Source(path="random"),), tokens=steps * BATCH * LENGTH),
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


@dataclass
class Workplace:
    """A bundle and a run folder, and what has been started in them."""

    bundle: Path
    run: RunFolder
    plan: Plan
    injected: Path
    processes: list[subprocess.Popen] = field(default_factory=list)

    def write_bundle(self, plan: Plan) -> None:
        """Put another plan into the bundle."""
        self.plan = plan
        self.bundle.mkdir(exist_ok=True)
        (self.bundle / "plan.json").write_text(plan.model_dump_json())
        (self.bundle / "ds_config.json").write_text(json.dumps(deepspeed_config(plan)))

    def start(self, inject: str = "") -> subprocess.Popen:
        """Start the ranks, as launch.sh does."""
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TRAINWRIGHT_INJECT": inject}
        environment["TRAINWRIGHT_INJECTED"] = str(self.injected)
        command = [sys.executable, "-W", "ignore::FutureWarning", "-m", "trainwright.runtime.launch.ranks"]
        command += ["--run", str(self.run.path), "--", "--standalone", f"--nproc-per-node={self.plan.layout.gpus}"]
        command += ["-m", "--", "trainwright.runtime.train", "--bundle", str(self.bundle), "--run", str(self.run.path)]
        with (self.run.path / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self.processes.append(process)
        return process

    def train(self, inject: str = "", timeout: float = 120) -> int:
        """Train to the end; the exit code."""
        return self.start(inject).wait(timeout)

    def events(self, kind: str = "") -> list[dict]:
        """The events of a kind, or all."""
        return [e for e in read_events(self.run.events) if not kind or e["kind"] == kind]

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

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def write_shards(run: RunFolder, plan: Plan, tokens: int = 20_000) -> None:
    """Shards as `prepare` leaves them, of random ids whose successor is often the next id: something to learn."""
    run.tokenizer.parent.mkdir(parents=True)
    run.tokenizer.write_bytes(b"not read by the loop")
    run.data.mkdir()
    generator = np.random.default_rng(0)
    parts = {}
    for split in ("train", "validation"):
        ids = np.cumsum(generator.integers(1, 4, tokens)) % VOCABULARY
        writer = ShardWriter(run.data, f"{split}-00", "uint16")
        writer.write(ids.astype(np.uint16))
        writer.close()
        parts[split] = (
            SourcePart(path="random", documents=1, bytes=tokens, tokens=tokens, shards=tuple(writer.shards)),
        )
    index = Index(
        dtype="uint16",
        vocab_size=VOCABULARY,
        begin_of_document=1,
        end_of_document=2,
        tokenizer_sha256=file_sha256(run.tokenizer),
        fingerprint="",
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
    for place in made:
        place.end()


@pytest.fixture(scope="session")
def tiny_plan():
    """The function that makes plans."""
    return make_plan
