"""The device path on a pretend CUDA: `make test-device`."""

from __future__ import annotations

import pytest

from trainwright.tests.fakes.cuda.fixtures import library, prepared, pretend

__all__ = ["library", "prepared", "pretend"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is marked `device`."""
    for item in items:
        if "tests/device/" in str(item.path):
            item.add_marker(pytest.mark.device)
