"""Fixtures: the fake NVML, and a clock that the test moves."""

from __future__ import annotations

import pytest

from trainwright.tests.fakes.nvml.fixtures import device_plan, library, nvml, nvml_without_counter

__all__ = ["device_plan", "library", "nvml", "nvml_without_counter"]


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
