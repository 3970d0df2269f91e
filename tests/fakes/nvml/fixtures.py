"""Fixtures around the fake NVML; the conftest.py of a folder whose tests need them imports them."""

from __future__ import annotations

import ctypes

import pynvml
import pytest

from trainwright.spec.plan import Device, Plan
from trainwright.tests.fakes.nvml import fake


@pytest.fixture
def library():
    """The fake libnvidia-ml.so.1, loaded."""
    if fake.compiler() is None:
        pytest.skip("no C compiler for the fake libnvidia-ml.so")
    return fake.loaded()


@pytest.fixture
def nvml(library, tmp_path, monkeypatch):
    """Two GPUs at 300 W, behind the real nvidia-ml-py."""
    fake.forget()
    gpus = fake.FakeNvml(tmp_path / "nvml.state", devices=2)
    monkeypatch.setenv("FAKE_NVML", str(gpus.path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
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


@pytest.fixture
def device_plan():
    """The maker of plans that say only what a meter and a power cap ask for: the device."""

    def plan(kind="cuda", *, count=2, assumed_watts=None, cap=None, mode="assume-set"):
        device = Device(
            kind=kind,
            name="A100-SXM4-80GB" if kind == "cuda" else "CPU",
            count=count,
            per_node=count,
            power_cap_watts=cap,
            power_cap_mode=mode,
            assumed_watts=assumed_watts,
            peak_flops=None,
            interconnect="none",
        )
        return Plan.model_construct(device=device)

    return plan
