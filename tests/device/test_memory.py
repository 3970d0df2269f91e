"""The estimate of memory beside the allocator's peak, for a few points of the grid of benchmarks/device_memory.py."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from trainwright.tests.fakes.cuda.pretend import ROOT
from trainwright.tests.fakes.nvml import fake

WORST = 0.08  # share by which a layout's estimate may miss; half of the whole grid is within 3%


@pytest.fixture(scope="module")
def grid(server):
    """The benchmark as a module."""
    fake.FakeNvml(server.library / "nvml.state", devices=1)
    found = importlib.util.spec_from_file_location("device_memory", ROOT / "benchmarks" / "device_memory.py")
    assert found
    assert found.loader
    module = sys.modules["device_memory"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["ladder-125m-z1-mb8-s2048", "tinyllama-1.1b-z1-mb4-s2048-tp2-pp2"])
def test_what_fits_on_paper_fits_in_the_allocator(grid, server, tmp_path, name):
    """Of one rank of a group: as much as was estimated, and never more than the whole estimate."""
    (point,) = (point for point in grid.grid() if point.name == name)
    row = grid.compare(point, server, tmp_path / "point")
    assert abs(row.error) <= WORST
    assert row.reserved <= row.whole
