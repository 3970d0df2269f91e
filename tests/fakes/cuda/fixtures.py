"""Fixtures around the pretend CUDA; tests/device/conftest.py imports them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trainwright.tests.fakes.cuda.build import build
from trainwright.tests.fakes.cuda.pretend import ENVIRONMENT, ROOT, Machine, PretendRun, Server
from trainwright.tests.fakes.nvml import fake

SPEC: dict[str, Any] = {
    "version": 1,
    "name": "pretend",
    "model": {"layers": 4, "hidden_size": 256, "ffn_size": 512, "heads": 4, "kv_heads": 4, "vocab_size": 512},
    "tokenizer": {"algorithm": "bpe", "vocab_size": 512, "training_bytes": "100 kB"},
    "data": {"train": "corpus/*.txt", "validation": "10%", "tokens": "8192 tokens"},
    "training": {
        "sequence_length": 128,
        "global_batch": "16 sequences",
        "optimizer": {"learning_rate": 1e-3, "warmup": "1 steps"},
        "checkpoint": {"every": "100 steps"},
        "validation": {"every": "100 steps", "batches": 1},
    },
    "cluster": {"gpu": "A100-SXM4-80GB", "gpus": 1, "gpus_per_node": 8},
    "carbon": {"pue": 1.0, "region": "fr"},
}


def missing() -> str | None:
    """What this machine lacks for a pretend device."""
    if shutil.which("gcc") is None or shutil.which("nm") is None:
        return "no gcc and binutils (`make services` installs them)"
    if not (ENVIRONMENT / "installed").exists():
        return "no torch for CUDA (`make device-env` installs it)"
    return None


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """What starts ranks on the pretend CUDA, built here. Skipped where it cannot be; `make test-device` insists."""
    if reason := missing():
        if os.environ.get("DEVICE_TESTS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("pretend-cuda")
    build(ENVIRONMENT, folder)
    fake.build(folder)  # NVML, where a test gives it devices
    started = Server(folder)
    yield started
    started.close()


@pytest.fixture(scope="session")
def prepared(server, tmp_path_factory) -> Path:
    """A project folder whose corpus is tokenized: `run` in it is a run folder that every test copies."""
    root = tmp_path_factory.mktemp("project")
    (root / "corpus").mkdir()
    for page in (ROOT / "docs").rglob("*.md"):
        shutil.copy(page, root / "corpus" / f"{page.stem}.txt")
    run = PretendRun(Machine(server), root, root)
    run.compile(SPEC)
    run.prepare()
    return root


@pytest.fixture(scope="session")
def pretend(server, prepared, tmp_path_factory) -> Callable[..., PretendRun]:
    """The maker of runs: `pretend("parallel.zero=3", gpus=2)` is compiled and prepared, not yet trained."""

    def make(*settings: str, gpus: int = 1, **machine: Any) -> PretendRun:
        run = PretendRun(Machine(server, **machine), tmp_path_factory.mktemp("run"), prepared)
        shutil.copytree(prepared / "run", run.run.path)
        run.compile(SPEC, f"cluster.gpus={gpus}", *settings)
        return run

    return make
