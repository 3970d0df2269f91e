"""Run folders written exactly as `spec/run_folder.py` says, for the report's tests and screenshots."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLAN: dict[str, Any] = {
    "version": 1,
    "name": "tiny",
    "spec_sha256": "0" * 64,
    "model": {
        "name": "tiny",
        "layers": 2,
        "hidden_size": 64,
        "ffn_size": 128,
        "heads": 2,
        "kv_heads": 2,
        "vocab_size": 512,
    },
    "tokenizer": {"vocab_size": 512},
    "data": {"train": [{"path": "python:stdlib"}], "tokens": 4_096_000},
    "training": {
        "sequence_length": 256,
        "global_batch": {"value": 16, "unit": "sequences"},
        "optimizer": {"learning_rate": 1e-3, "warmup": {"value": 20, "unit": "steps"}},
    },
    "schedule": {
        "steps": 1000,
        "warmup_steps": 20,
        "sequences_per_step": 16,
        "tokens_per_step": 4096,
        "validate_every": 50,
        "checkpoint_every": 100,
    },
    "layout": {"data": 2},
    "device": {
        "kind": "cuda",
        "name": "A100-SXM4-80GB",
        "count": 2,
        "per_node": 2,
        "power_cap_watts": 400.0,
        "power_cap_mode": "assume-set",
        "assumed_watts": None,
        "peak_flops": 312e12,
        "interconnect": "none",
    },
    "carbon": {
        "pue": 1.1,
        "intensity_kg_per_kwh": 0.385,
        "intensity_source": "the spec (carbon.intensity)",
    },
}


def estimate(hours: float, watts: float, **changes: Any) -> dict[str, Any]:
    """An estimate.json for so many device hours at so many watts."""

    def bounds(value: float) -> dict[str, Any]:
        return {"value": value, "low": value * 0.9, "high": value * 1.1, "because": "step time"}

    kwh = hours * watts / 1000
    return {
        "name": "tiny",
        "model": "tiny",
        "cluster": "lab",
        "device": "A100-SXM4-80GB",
        "devices": 2,
        "parameters": 200_000,
        "tokens": 4_096_000,
        "power_cap_watts": 400.0,
        "layout": {"data": 2},
        "step_seconds": bounds(1.0),
        "tokens_per_second": bounds(4096.0),
        "mfu": None,
        "memory_bytes": bounds(2e9),
        "memory_parts": [],
        "memory_limit_bytes": 85899345920,
        "device_hours": bounds(hours),
        "days": bounds(hours / 48),
        "power_watts": bounds(watts),
        "energy_kwh": bounds(kwh),
        "carbon_tonnes": bounds(kwh * 1.1 * 0.385 / 1000),
        "paper_carbon_tonnes": None,
        "pue": 1.1,
        "intensity_kg_per_kwh": 0.385,
        "intensity_source": "the spec (carbon.intensity)",
        **changes,
    }


@dataclass
class Log:
    """Writes events as the training loop does; `clock` is Unix seconds, `kwh` the cumulative reading."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    clock: float = 1_790_000_000.0
    kwh: float | None = 0.0
    attempt: int = 0

    def add(self, kind: str, **fields: Any) -> None:
        """One event, now."""
        self.lines.append({"kind": kind, "time": self.clock, "attempt": self.attempt, **fields})

    def prepare(self, kwh: float = 0.002) -> None:
        """Tokenizer and shards, before the next attempt."""
        self.attempt += 1
        for name in ("tokenizer", "data"):
            self.clock += 20
            self.kwh = None if self.kwh is None else self.kwh + kwh / 2
            self.add("phase", name=name, seconds=20.0, energy_kwh=kwh / 2, measured=True)
        self.attempt -= 1

    def start(self, step: int = 0, *, measured: bool = True, meter: str = "nvml") -> None:
        """A new attempt, three seconds before its first step."""
        self.attempt += 1
        cap = {"power_cap_watts": 400.0, "enforced_watts": 400.0, "applied": True}
        self.add(
            "start",
            step=step,
            world_size=2,
            meter=meter,
            measured=measured,
            power_cap=cap,
            unigram_entropy=5.8,
            versions={"torch": "2.13.0"},
        )

    def steps(self, first: int, last: int, seconds: float = 1.0, watts: float = 380.0) -> None:
        """Steps with a falling, noisy loss, checkpoints each 100 and validations each 50."""
        noise = random.Random(first)  # noqa: S311 - a curve to draw
        for step in range(first, last + 1):
            self.clock += seconds
            self.kwh = None if self.kwh is None else self.kwh + 2 * watts * seconds / 3.6e6
            loss = 2.2 + 4.3 * math.exp(-step / 160) + noise.gauss(0, 0.04)
            rate = 1e-3 * min(step / 20, 0.55 + 0.45 * math.cos(math.pi * step / 1000))
            self.add(
                "step",
                step=step,
                tokens=step * 4096,
                loss=loss,
                grad_norm=0.5 + 2 * math.exp(-step / 50) + abs(noise.gauss(0, 0.1)),
                learning_rate=rate,
                seconds=seconds,
                tokens_per_second=4096 / seconds * (1 + noise.gauss(0, 0.03)),
                mfu=0.41 + noise.gauss(0, 0.01),
                energy_kwh=self.kwh,
                power_watts=2 * watts + noise.gauss(0, 6),
                memory_bytes=int(1.9e9 + step * 1e4),
            )
            if step % 50 == 0:
                self.add("validation", step=step, tokens=step * 4096, loss=loss + 0.08, seconds=0.0)
            if step % 100 == 0:
                self.add("checkpoint", step=step, path=f"checkpoints/step-{step:08d}", seconds=0.0, bytes=2_400_000)

    def stop(self, step: int, reason: str = "done", exit_code: int = 0) -> None:
        """The attempt's end."""
        self.add("stop", step=step, reason=reason, exit_code=exit_code, energy_kwh=self.kwh)

    def write(self, folder: Path, plan: dict[str, Any] | None = None, prediction: dict[str, Any] | None = None) -> Path:
        """The run folder; plan and estimate are the defaults unless given ({} leaves the file out)."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("plan.json", PLAN if plan is None else plan),
            ("estimate.json", estimate(0.5, 400.0) if prediction is None else prediction),
        ):
            if content:
                (folder / name).write_text(json.dumps(content))
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        (folder / "events.jsonl").write_text(text)
        return folder


def whole_run(folder: Path, last: int = 1000, **options: Any) -> Path:
    """A run that finished in one attempt."""
    log = Log()
    log.start()
    log.steps(1, last)
    log.stop(last)
    return log.write(folder, **options)


def restarted_run(folder: Path, **options: Any) -> Path:
    """Killed at step 450, resumed from 400 ten minutes later, finished; a gap of 60 s on GPU 1."""
    log = Log()
    log.start()
    log.steps(1, 450)
    log.clock += 600
    log.start(400)
    log.steps(401, 700)
    log.add("gap", device="gpu1", start=log.clock - 60, end=log.clock, reason="NVML: GPU is lost")
    log.add("fault", step=700, rank=1, what="gradient is not finite", action="skipped the step")
    log.steps(701, 1000)
    log.stop(1000)
    return log.write(folder, **options)
