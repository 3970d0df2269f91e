"""A small run for real services: the spec, what it did, and waiting for a step of it."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from trainwright.spec.run_folder import RunFolder
from trainwright.tests.logged import logged_events

STEP_TOKENS = 4 * 64
ENDLESS = 400_000  # steps
SPEC = """
version: 1
name: tiny
model: {{layers: 1, hidden_size: 32, ffn_size: 64, heads: 2, kv_heads: 1, vocab_size: 384}}
tokenizer: {{algorithm: bpe, vocab_size: 384, training_bytes: 100 kB}}
data: {{train: corpus/*.txt, validation: 10%, tokens: {tokens} tokens}}
training:
  sequence_length: 64
  global_batch: 4 sequences
  precision: fp32
  optimizer: {{learning_rate: 2e-3, warmup: 5 steps}}
  checkpoint: {{every: {every} steps}}
  validation: {{every: 100000 steps, batches: 1}}
cluster:
  preset: local-cpu
  gpus: 2
  gpus_per_node: 1
  interconnect: {{kind: ethernet, bandwidth_per_node: 1 Gbps, socket_interface: {interface}}}
carbon: {{pue: 1.0, region: fr}}
launch: {launch}
"""


def write_spec(project: Path, launch: str, steps: int = ENDLESS, interface: str = "lo", every: int = ENDLESS) -> None:
    """Write tiny.yaml, a run of so many steps on two nodes, saved at every so many, into a project."""
    text = SPEC.format(tokens=steps * STEP_TOKENS, launch=launch, interface=interface, every=every)
    (project / "tiny.yaml").write_text(text)


@dataclass(frozen=True)
class Tiny:
    """What the run of a project did."""

    project: Path

    @property
    def run(self) -> RunFolder:
        """The run folder."""
        return RunFolder(self.project / "runs" / "tiny")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The run's events of one kind so far."""
        if not self.run.events.exists():
            return []
        return logged_events(self.run.events, kind)

    def steps(self) -> list[int]:
        """Steps taken so far, in order."""
        return [event["step"] for event in self.events("step")]

    def wait_for_step(self, step: int, seconds: float = 240) -> None:
        """Wait until `step` was taken. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while max(self.steps(), default=0) < step:
            if time.monotonic() > until:
                raise TimeoutError(f"no step {step} after {seconds:g} s")
            time.sleep(0.2)


def listening(project: Path) -> dict[str, set[str]]:
    """Where each Python module of a project's run listens, on whatever host and in whatever network it runs."""
    found = dict[str, set[str]]()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            if "python" in process.name() and any(str(project) in word for word in (*words, process.cwd())):
                module = words[words.index("-m") + 1] if "-m" in words else words[1]
                found.setdefault(module, set()).update(
                    socket.laddr.ip for socket in process.net_connections("inet") if not socket.raddr
                )
    return found
