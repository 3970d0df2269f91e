"""The device path on a pretend CUDA: `make test-device`."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from trainwright.tests.device.layouts import LAYOUTS
from trainwright.tests.fakes.cuda.fixtures import SPEC, prepared, pretend, server
from trainwright.tests.fakes.cuda.pretend import PretendRun

__all__ = ["prepared", "pretend", "server"]


@pytest.fixture(scope="session", params=LAYOUTS)
def trained(request, pretend) -> PretendRun:
    """A run of each layout, its six steps in three attempts: the first two are stopped, the second is not compiled."""
    case = LAYOUTS[request.param]
    settings = (f"cluster.gpus={case.gpus}", *case.settings, "data.tokens=12288 tokens", "training.on_change=apply")
    run = pretend(*settings, gpus=case.gpus)
    run.train(STOP_AFTER="2")
    run.compile(SPEC, *settings, "training.compile=false")
    run.train(STOP_AFTER="1")
    run.compile(SPEC, *settings)
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
    """Everything here is marked `device`."""
    item.add_marker(pytest.mark.device)
