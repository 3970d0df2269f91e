"""What only a real GPU can answer. `benchmarks/first_gpu.sh` runs these tests; elsewhere they are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainwright.compiler.backtest.published_run import PublishedRun
from trainwright.compiler.backtest.run_case import device


def absent() -> str | None:
    """Why nothing can be asked here."""
    if not torch.cuda.is_available():
        return "no CUDA device: run this on a machine with a GPU, with benchmarks/first_gpu.sh"
    if "libpretend.so" in Path("/proc/self/maps").read_text(encoding="utf-8"):
        return "the CUDA device is the pretend one (tests/fakes/cuda), whose kernels compute nothing"
    return None


def preset_name() -> str:
    """The first device, as `trainwright presets` names it. Raises Skipped where no preset is it."""
    found = torch.cuda.get_device_properties(0)
    gib = round(found.total_memory / 2**30)
    return device(PublishedRun(id="here", gpu=found.name.removeprefix("NVIDIA "), gpu_mem_gb=gib)).name


@pytest.fixture(scope="session")
def gpu() -> torch.device:
    """The first real GPU."""
    if reason := absent():
        pytest.skip(reason)
    return torch.device("cuda", 0)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything here is marked `gpu`."""
    item.add_marker(pytest.mark.gpu)
