"""Profiles of a run under way: asked for by a file, traced on the ranks that are named, logged."""

from __future__ import annotations

import gzip
import json
from types import SimpleNamespace

import pytest
import torch

from trainwright.runtime.launch.request_profile import wait_for_profile
from trainwright.runtime.train.step_profile import step_seconds
from trainwright.spec.exit_codes import Exit
from trainwright.spec.profile_request import read_profile_request


def test_a_profile_of_one_rank_changes_no_step(workplace, tiny_plan) -> None:
    """Rank 1 of two is traced for two steps; losses are those of a run without a profile, and the request is gone."""
    plain, traced = workplace(tiny_plan(steps=4)), workplace(tiny_plan(steps=4))
    request = traced.run.profile_request
    request.parent.mkdir(parents=True)
    request.write_text('{"steps": 2, "ranks": [1]}')
    assert (plain.train(), traced.train()) == (Exit.DONE, Exit.DONE)
    losses = [[event["loss"] for event in place.events("step")] for place in (plain, traced)]
    assert losses[0] == losses[1]
    assert wait_for_profile(traced.run, 0, print).step == 3
    (found,) = traced.events("profile")
    assert (found["step"], found["steps"], found["ranks"]) == (3, 2, [1])
    parts = [found[f"{name}_seconds"][0] for name in ("compute", "communication", "optimizer", "waiting")]
    assert sum(parts) == pytest.approx(found["seconds"], rel=0.05)
    assert min(parts[0], parts[2]) > 0
    (trace,) = traced.run.profile(3).iterdir()
    with gzip.open(trace) as file:
        names = {event.get("name", "") for event in json.load(file)["traceEvents"]}
    assert "aten::mm" in names
    assert not request.exists()


@pytest.mark.parametrize("content", ["", "{}", '{"steps": 0, "ranks": [0]}', '{"steps": 2, "ranks": []}', "[" * 5000])
def test_what_is_no_request_asks_for_nothing(tmp_path, content) -> None:
    """Whatever the file holds, there is a request in it or none."""
    (tmp_path / "request.json").write_text(content)
    assert read_profile_request(tmp_path / "request.json") is None


def _event(name, start, end, device="CUDA"):
    times = SimpleNamespace(start=start, end=end)
    return SimpleNamespace(name=name, time_range=times, device_type=SimpleNamespace(name=device))


def test_what_is_hidden_counts_once() -> None:
    """Two steps of a GPU: communication beside compute is hidden, gaps are waiting, what the host does is left out."""
    events = [
        _event("sgemm", 0, 4e6), _event("ncclDevKernel_AllReduce", 3e6, 6e6), _event("sgemm", 3.5e6, 5e6),
        _event("multi_tensor_apply_kernel", 8e6, 9e6), _event("aten::mm", 0, 20e6, "CPU"),
    ]  # fmt: skip
    found = step_seconds(events, torch.device("cuda"), steps=2, seconds=5.0)
    assert (found.compute, found.communication, found.optimizer, found.waiting) == (2.5, 0.5, 0.5, 1.5)
