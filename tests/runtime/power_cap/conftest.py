"""Fixtures: GPUs whose driver is the fake one, with sudo and nvidia-smi on the path, and a script that owns the cap."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from trainwright.runtime.power_cap import guard
from trainwright.tests.fakes.nvml import fake
from trainwright.tests.fakes.nvml.fixtures import device_plan, library, nvml
from trainwright.tests.runtime.conftest import small_plan

__all__ = ["device_plan", "library", "nvml"]


@pytest.fixture
def site(nvml, library, tmp_path, monkeypatch):
    """Two GPUs at a limit of 400 W on a site whose users may run `sudo nvidia-smi`."""
    monkeypatch.setenv("PATH", f"{fake.tools()}:{os.environ['PATH']}")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(Path(library._name).parent))
    monkeypatch.setenv("FAKE_SUDO", str(tmp_path / "sudo.log"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return nvml


@pytest.fixture
def no_guard(monkeypatch):
    """Guards that were asked for, but not started."""
    asked = []
    monkeypatch.setattr(guard, "start", lambda _, owner: asked.append(owner))
    return asked


@pytest.fixture
def owner():
    """A process that stands for node.sh."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def make_bundle(tmp_path):
    """The maker of bundle folders with a plan for two capped GPUs."""

    def bundle(cap):
        plan = small_plan()
        device = plan.device.model_copy(
            update={"kind": "cuda", "name": "A100-SXM4-80GB", "power_cap_watts": cap, "power_cap_mode": "sudo"}
        )
        folder = tmp_path / "bundle"
        folder.mkdir()
        (folder / "plan.json").write_text(plan.model_copy(update={"device": device}).model_dump_json())
        return folder

    return bundle
