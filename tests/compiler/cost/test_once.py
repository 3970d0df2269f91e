"""Promises of the parts of a cost that layouts share."""

from __future__ import annotations

import pytest

from trainwright.compiler.cost.from_spec import cost_case, cost_case_factory
from trainwright.compiler.cost.memory import memory_bytes
from trainwright.compiler.cost.step import step
from trainwright.compiler.plan.layout_search import search
from trainwright.tests.compiler.specs import loaded

STACKS = (None, "megatron-core", "fsdp", "gpt-neox")
SETS = ("cluster.gpus=64", "training.global_batch=192 sequences", "training.sequence_length=16384")


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("sets", [(), ("parallel.offload=optimizer",), ("training.precision=fp16",)])
def test_what_layouts_share_never_changes_a_number(stack, sets):
    """Seconds and bytes of a layout are the same whether it is asked about alone or among all others."""
    spec = loaded("llama2-13b", *SETS, *sets).spec
    found, shared = search(spec, stack, everything=True), cost_case_factory(spec, stack)
    layouts = [candidate.layout for candidate in (*found.candidates, *found.foreign)]
    for layout in layouts:
        memory_bytes(shared(layout))
        step(shared(layout))
    for layout in layouts:
        alone = cost_case(spec, layout, stack)
        assert memory_bytes(shared(layout)) == memory_bytes(alone)
        assert step(shared(layout)) == step(alone)
