"""Fixtures: a fake NVML behind the real nvidia-ml-py, and a clock that the test moves."""

from __future__ import annotations

import ctypes

import pynvml
import pytest

from trainwright.spec.plan import Device, Plan
from trainwright.tests.fakes.nvml import fake


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The fake libnvidia-ml.so.1, loaded so that a dlopen of that name finds it."""
    if fake.compiler() is None:
        pytest.skip("no C compiler for the fake libnvidia-ml.so")
    path = fake.build(tmp_path_factory.mktemp("nvml"))
    return ctypes.CDLL(str(path))


@pytest.fixture
def nvml(library, tmp_path, monkeypatch):
    """Two GPUs at 300 W."""
    fake.forget()
    gpus = fake.FakeNvml(tmp_path / "nvml.state", devices=2)
    monkeypatch.setenv("FAKE_NVML", str(gpus.path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    library.fake_detach()
    yield gpus
    monkeypatch.undo()
    library.fake_detach()
    fake.forget()


@pytest.fixture
def nvml_without_counter(nvml, tmp_path_factory, monkeypatch):
    """The same GPUs under a driver that has no energy counter."""
    older = ctypes.CDLL(str(fake.build(tmp_path_factory.mktemp("old"), "-DWITHOUT_COUNTER")))
    monkeypatch.setattr(pynvml, "nvmlLib", older)
    return nvml


class Clock:
    """Monotonic seconds that stand still until the test moves them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock():
    """A clock to move."""
    return Clock()


@pytest.fixture
def make_plan():
    """A plan that says only what a meter asks for: its device."""

    def plan(kind="cuda", *, count=2, assumed_watts=None, cap_watts=None, cap_mode="assume-set"):
        device = Device(
            kind=kind,
            name="A100-SXM4-80GB" if kind == "cuda" else "CPU",
            count=count,
            per_node=count,
            power_cap_watts=cap_watts,
            power_cap_mode=cap_mode,
            assumed_watts=assumed_watts,
            peak_flops=None,
            interconnect="none",
        )
        return Plan.model_construct(device=device)

    return plan
