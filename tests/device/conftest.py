"""The device path on a pretend CUDA: `make test-device`."""

from __future__ import annotations

import pytest

from trainwright.tests.device.layouts import LAYOUTS
from trainwright.tests.fakes.cuda.fixtures import prepared, pretend, server
from trainwright.tests.fakes.cuda.pretend import PretendRun

__all__ = ["prepared", "pretend", "server"]


@pytest.fixture(scope="session", params=LAYOUTS)
def trained(request, pretend) -> PretendRun:
    """A run of each layout: asked to stop after two of its four steps, then resumed to its end."""
    case = LAYOUTS[request.param]
    run = pretend(*case.settings, gpus=case.gpus)
    run.train(STOP_AFTER="2")
    run.train()
    return run


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything here is marked `device`, and the tests of a layout are one process's: its run is trained once.

    When all are collected it would be too late: by then xdist has read the groups.
    """
    item.add_marker(pytest.mark.device)
    if isinstance(item, pytest.Function) and "trained" in item.fixturenames:
        item.add_marker(pytest.mark.xdist_group(item.callspec.params["trained"]))
