"""Whole runs of several kinds, launched as a user does, and what must be the same to the bit however they went."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from trainwright.spec.events import StepEvent, read_events
from trainwright.spec.run_folder import RunFolder

TRAINWRIGHT = Path(sys.executable).with_name("trainwright")
LONGEST = 300.0  # seconds of one launch on a busy machine
SPEC = """
version: 1
name: {name}
model: {{layers: 1, hidden_size: 32, ffn_size: 64, heads: 2, kv_heads: 1, vocab_size: 384}}
tokenizer: {{vocab_size: 384, training_bytes: 100 kB}}
data: {{train: "corpus/*.txt", validation: 10%, tokens: {tokens} tokens}}
training:
  sequence_length: 32
  global_batch: 8 sequences
  precision: fp32
  optimizer: {{learning_rate: 2e-3, warmup: 1 steps}}
{training}cluster: {{preset: local-cpu, gpus: {ranks}}}
carbon: {{pue: 1.0, region: fr}}
launch: {{target: local}}
"""
STEPS = 200
KINDS = [(1, "false"), (2, "false"), (1, "true")]  # ranks, and whether checkpoints are written behind training


def tiny_spec(tokens: int, *training: str, name: str = "t", ranks: int = 1) -> str:
    """A spec of the smallest run; `training` are more lines of that section."""
    lines = "".join(f"  {line}\n" for line in training)
    return SPEC.format(name=name, tokens=tokens, training=lines, ranks=ranks)


def make_project(at: Path, steps: int = STEPS) -> None:
    """A corpus, and a spec for each kind of run."""
    luck = random.Random(1)  # noqa: S311 - not a secret
    (at / "corpus").mkdir()
    for number in range(40):
        words = ("".join(luck.choices("abcdefghij 0123456789\n", k=6)) for _ in range(200))
        (at / f"corpus/{number}.txt").write_text(" ".join(words))
    for kind, (ranks, behind) in enumerate(KINDS):
        saves = f"checkpoint: {{every: 5 steps, asynchronous: {behind}}}"
        text = tiny_spec(steps * 256, saves, "validation: {every: 50 steps, batches: 1}", ranks=ranks)
        (at / f"{kind}.yaml").write_text(f"{text}parallel: {{data: {ranks}}}\n")


def start(project: Path, kind: int, run: str) -> subprocess.Popen[bytes]:
    """Launch a kind of run into its folder."""
    words = [TRAINWRIGHT, "launch", f"{kind}.yaml", "--run", run, "--out", f"build/{kind}"]
    with (project / f"{Path(run).name}.log").open("ab") as log:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.Popen(words, cwd=project, env=environment, stdout=log, stderr=log, start_new_session=True)


def content(run: RunFolder) -> dict[str, object]:
    """What must be the same to the bit: tokenizer, shards, the last checkpoint's weights and states, every loss."""
    newest = run.checkpoints / (run.checkpoints / "latest").read_text()
    files = json.loads((newest / "manifest.json").read_text())["files"]
    state = {name: entry["sha256"] for name, entry in files.items() if name != "state.json"}
    index = json.loads((run.data / "index.json").read_text())
    losses = {event.step: event.loss for event in read_events(run.events) if isinstance(event, StepEvent)}
    digests = json.loads((newest / "state.json").read_text())["digests"]
    return {"state": state, "losses": losses, "digests": digests, "index": index, "newest": newest.name}


def wait(process: subprocess.Popen[bytes]) -> int:
    """The exit code; all that is left of its session is gone afterwards."""
    try:
        return process.wait(LONGEST)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def compare(run: RunFolder, expected: dict[str, object]) -> None:
    """Compare a run that has ended, and look that nothing of it is left."""
    found = content(run)
    assert {key: found[key] == expected[key] for key in expected} == dict.fromkeys(expected, True)
    energies = [event.energy_kwh for event in read_events(run.events) if isinstance(event, StepEvent)]
    assert energies == sorted(energies)
    everyone = psutil.process_iter(["cmdline"])
    assert [
        words for words in (process.info["cmdline"] for process in everyone) if words and str(run.path) in words
    ] == []
