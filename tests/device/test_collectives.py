"""What ranks say to each other in a step: how often, in which type, and as often as the estimate is charged for."""

from __future__ import annotations

from collections import Counter

import pytest

from trainwright.compiler.cost.stack import profile
from trainwright.tests.fakes.cuda.fixtures import SPEC

NORM = 64  # bytes: sums of norms, and votes on overflows, are no larger
LAYERS = SPEC["model"]["layers"]


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_gradients_are_reduced_in_fp32_during_the_backward_pass(pretend, stage):
    """No gradient crosses in 16 bits, and none waits for the end of the pass."""
    run = pretend(f"parallel.zero={stage}", gpus=2)
    events = run.train().traces[0].steps()[0].events
    reduced = {i: e["type"] for i, e in enumerate(events) if _is_reduction(e) and e["bytes"] > NORM}
    products = [i for i, e in enumerate(events) if e["op"] == "product"]
    assert set(reduced.values()) == {"fp32"}
    assert min(reduced) < products[-1]


def test_zero_3_gathers_whole_layers(pretend):
    """As many gathers a layer and direction as the estimate counts; the last layer is still there on the way back."""
    run = pretend("parallel.zero=3", gpus=2)
    step = run.train().traces[0].steps()[0]
    sizes = Counter(e["bytes"] for e in step.collectives() if e["call"] == "all_gather")
    assert sum(n for size, n in sizes.items() if size > 1e6) == (2 * LAYERS - 1) * profile("deepspeed").collectives


def test_tensor_parallelism_adds_up_four_times_a_layer(pretend):
    """Twice a pass, as the estimate counts, and once each for the embedding and for the head's input."""
    run = pretend("parallel.tensor=2", "parallel.micro_batch=8", gpus=2)
    step = run.train().traces[0].steps()[0]
    size = 8 * SPEC["training"]["sequence_length"] * SPEC["model"]["hidden_size"] * 2
    sums = [e for e in step.collectives() if e["call"] == "all_reduce" and e["bytes"] == size]
    assert len(sums) == 2 * (4 * LAYERS + 2)


def _is_reduction(event):
    return event["op"] == "collective" and event["call"] in {"reduce", "reduce_scatter", "all_reduce"}
