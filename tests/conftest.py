"""The order of the tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Services first: one worker mostly waits for them while the others compute."""
    items.sort(key=lambda item: item.get_closest_marker("service") is None)
