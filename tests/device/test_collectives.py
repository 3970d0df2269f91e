"""What ranks say to each other in a step: how often, in which type, and as often as the estimate is charged for."""

from __future__ import annotations

from collections import Counter

import pytest

from trainwright.compiler.cost.stack import profile
from trainwright.compiler.cost.step import vocabulary_sums
from trainwright.spec.plan import read_plan
from trainwright.tests.fakes.cuda.fixtures import SPEC

NORM = 64  # bytes: sums of norms, and votes on overflows, are no larger
LAYERS = SPEC["model"]["layers"]
DIRECTIONS = 2


def step_of(run):
    """A run's layout, and one step of its first rank."""
    return read_plan(run.bundle).layout, run.attempts[0].traces[0].steps()[0]


@pytest.mark.parametrize("case", ["zero-1", "zero-2", "zero-3"], indirect=True)
def test_gradients_are_reduced_in_fp32_during_the_backward_pass(trained):
    """No gradient crosses in 16 bits, and none waits for the end of the pass."""
    events = step_of(trained)[1].events
    reduced = {i: e["type"] for i, e in enumerate(events) if _is_reduction(e) and e["bytes"] > NORM}
    products = [i for i, e in enumerate(events) if e["op"] == "product"]
    assert set(reduced.values()) == {"fp32"}
    assert min(reduced) < products[-1]


@pytest.mark.parametrize("case", ["zero-3"], indirect=True)
def test_zero_3_gathers_whole_layers(trained):
    """As many gathers a layer and direction as the estimate counts; the last layer is still there on the way back."""
    layout, step = step_of(trained)
    sizes = Counter(e["bytes"] for e in step.collectives() if e["call"] == "all_gather")
    gathers = (DIRECTIONS * LAYERS - 1) * profile("deepspeed").collectives * layout.accumulation
    assert sum(n for size, n in sizes.items() if size > 1e6) == gathers


@pytest.mark.parametrize("case", ["tensor-2"], indirect=True)
def test_tensor_parallelism_adds_up_as_often_as_the_estimate_counts(trained):
    """In every layer and direction, and for the cut vocabulary."""
    layout, step = step_of(trained)
    size = layout.micro_batch * SPEC["training"]["sequence_length"] * SPEC["model"]["hidden_size"] * 2
    sums = [e for e in step.collectives() if e["call"] == "all_reduce" and e["bytes"] == size]
    charged = DIRECTIONS * LAYERS * profile("deepspeed").tensor_sums + vocabulary_sums(layout)
    assert len(sums) == charged * layout.accumulation


def _is_reduction(event):
    return event["op"] == "collective" and event["call"] in {"reduce", "reduce_scatter", "all_reduce"}
