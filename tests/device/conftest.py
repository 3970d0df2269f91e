"""The device path on a pretend CUDA: `make test-device`."""

from __future__ import annotations

import pytest

from trainwright.tests.fakes.cuda.fixtures import prepared, pretend, server

__all__ = ["prepared", "pretend", "server"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is marked `device`."""
    for item in items:
        if "tests/device/" in str(item.path):
            item.add_marker(pytest.mark.device)
