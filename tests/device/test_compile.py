"""Compiled functions on GPUs: what Dynamo makes graphs of, in every layout."""

from __future__ import annotations

from trainwright.spec.plan import read_plan
from trainwright.tests.fakes.cuda.pretend import Attempt


def graphs(attempt: Attempt) -> set[int]:
    """Numbers of graphs that ranks have compiled: one number where all agree."""
    return {len(trace.of("mark", name="graph")) for trace in attempt.traces}


def test_each_function_is_one_graph(trained):
    """SwiGLU's product, rotary queries, and keys where they are fewer: no break, no second graph, whatever the layers.

    Validation, which keeps nothing for a backward pass, has graphs of its own; with `compile: false` there is none.
    """
    model = read_plan(trained.bundle).model
    functions = 2 if model.kv_heads == model.heads else 3
    compiled, eager = (graphs(attempt) for attempt in trained.attempts)
    assert (compiled, eager) == ({2 * functions}, {0})
