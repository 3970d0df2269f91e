"""The device path on a pretend CUDA: `make test-device`."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from trainwright.tests.device.layouts import LAYOUTS, Case
from trainwright.tests.fakes.cuda.fixtures import SPEC, prepared, pretend, server
from trainwright.tests.fakes.cuda.pretend import PretendRun

__all__ = ["prepared", "pretend", "server"]

SECONDS = 900  # three starts of up to four ranks, on a machine that has much else to do
MORE_STEPS = ("data.tokens=12288 tokens", "training.on_change=apply")  # six instead of four
EAGER = "training.compile=false"


@pytest.fixture(scope="session", params=LAYOUTS)
def case(request) -> Case:
    """Each layout."""
    return LAYOUTS[request.param]


@pytest.fixture(scope="session")
def trained(case, pretend) -> PretendRun:
    """A run of each layout: compiled, validated and stopped after two of its four steps; resumed to its end, eager."""
    settings = (f"cluster.gpus={case.gpus}", *case.settings, *case.model, "training.validation.every=3 steps")
    run = pretend(*settings)
    run.train(STOP_AFTER="2")
    run.compile(SPEC, *settings, EAGER, "training.on_change=apply")
    run.train()
    return run


@pytest.fixture(scope="session")
def resharded(case, trained, tmp_path_factory) -> PretendRun:
    """A copy of each layout's run, made two steps longer on another number of devices."""
    run = PretendRun(trained.machine, tmp_path_factory.mktemp("resharded"), trained.root)
    shutil.copytree(trained.run.path, run.run.path)
    gpus, layout = case.then
    run.compile(SPEC, f"cluster.gpus={gpus}", layout, *case.model, EAGER, *MORE_STEPS)
    run.train()
    return run


class ByLayout(LoadScopeScheduling):
    """The tests of a layout are one process's: its run is trained once; xdist 3.8's own groups fail with pytest 9."""

    def _split_scope(self, nodeid: str) -> str:
        layout = nodeid.partition("[")[2].rstrip("]")
        return layout if layout in LAYOUTS else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByLayout:
    """Of `make test-device`."""
    return ByLayout(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything here is marked `device`, and may take the time that its runs take."""
    item.add_marker(pytest.mark.device)
    item.add_marker(pytest.mark.timeout(SECONDS))
