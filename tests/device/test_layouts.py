"""Every layout that the planner knows trains to its end on pretend devices."""

from __future__ import annotations

import pytest

LAYOUTS = {
    "one": (1, ()),
    "zero-1": (2, ("parallel.zero=1",)),
    "zero-2": (2, ("parallel.zero=2",)),
    "zero-3": (2, ("parallel.zero=3",)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_trains(pretend, name):
    """A run ends with 0 on every rank."""
    gpus, settings = LAYOUTS[name]
    run = pretend(*settings, gpus=gpus)
    attempt = run.train()
    assert [0] * gpus == attempt.codes, attempt.outputs[0][-3000:]
