"""Run folders for the report's tests."""

from __future__ import annotations

import pytest

from trainwright.tests.report import folders


@pytest.fixture
def whole(tmp_path):
    """A run that finished in one attempt."""
    return folders.whole_run(tmp_path / "whole", last=200)


@pytest.fixture
def restarted(tmp_path):
    """A run that was killed, restarted, and has a gap and a fault."""
    return folders.restarted_run(tmp_path / "restarted")
