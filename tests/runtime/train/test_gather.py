"""Weights gathered from real checkpoints of every kind of sharding are the same weights."""

import pytest
import torch

from trainwright.runtime.checkpoint.full_weights import full_shapes, gather_weights, newest_valid_checkpoint
from trainwright.spec.layout import Layout

LAYOUTS = {
    "zero 1": Layout(data=2, micro_batch=1, accumulation=2, zero=1),
    "zero 3": Layout(data=2, micro_batch=1, accumulation=2, zero=3),
    "tensor parallel": Layout(data=1, tensor=2, micro_batch=1, accumulation=4, zero=1),
    "tensor parallel, zero 3": Layout(data=1, tensor=2, micro_batch=1, accumulation=4, zero=3),
    "pipeline": Layout(pipeline=2, micro_batch=1, accumulation=4),
    "pipeline of tensor parallel stages": Layout(pipeline=2, tensor=2, micro_batch=1, accumulation=4),
}


def trained(workplace, tiny_plan, layout: Layout) -> dict[str, torch.Tensor]:
    """The gathered weights after two steps under a layout, of a vocabulary that two ranks cannot share evenly."""
    plan = tiny_plan(layout, steps=2, model__vocab_size=131)
    place = workplace(plan)
    assert place.train() == 0, place.output()
    generation, flaws = newest_valid_checkpoint(place.run, plan)
    assert flaws == []
    return gather_weights(generation, plan.model)


@pytest.mark.slow
def test_every_sharding_gathers_to_the_same_weights(workplace, tiny_plan):
    """Every layout ends with equal whole weights, each under its own name and shape."""
    found = {name: trained(workplace, tiny_plan, layout) for name, layout in LAYOUTS.items()}
    reference = found["zero 1"]
    assert {n: w.shape for n, w in reference.items()} == full_shapes(tiny_plan(model__vocab_size=131).model)
    for name, weights in found.items():
        worst = max((weights[key] - reference[key]).abs().max().item() for key in reference)
        assert worst < 1e-5, (name, worst)
