"""What a rank holds while it builds its model: a layout chosen because the whole fits nowhere must start."""

from __future__ import annotations

import json

import pytest

from trainwright.runtime.checkpoint.full_weights import full_shapes
from trainwright.runtime.model.llama import TORCH_DTYPE
from trainwright.spec.layout import Layout

SIZES = {"layers": 4, "hidden_size": 256, "ffn_size": 640, "heads": 8, "kv_heads": 4, "vocab_size": 1000}


def share(plan):
    """Bytes of a rank's part of every weight."""
    layout, width = plan.layout, TORCH_DTYPE[plan.training.precision].itemsize
    shards = layout.data if layout.zero == 3 else 1
    shapes = full_shapes(plan.model).values()
    return sum(width * shape.numel() // (layout.tensor if len(shape) > 1 else 1) // shards for shape in shapes)


@pytest.mark.parametrize(
    ("layouts", "precision"),
    [
        ([Layout(tensor=2), Layout(tensor=2, zero=3)], "fp32"),
        ([Layout(tensor=4), Layout(tensor=4, zero=3)], "bf16"),
        ([Layout(tensor=2, data=2), Layout(tensor=2, data=2, zero=3)], "bf16"),
        ([Layout(data=2, zero=3)], "bf16"),
        ([Layout(data=2), Layout(data=2, zero=2)], "bf16"),
    ],
    ids=["two", "four", "two by two", "ZeRO-3", "ZeRO-1 and 2"],
)
def test_a_rank_builds_its_share_and_no_more(workplace, tiny_plan, forked, layouts, precision):
    """Matrix by matrix: besides its share a rank holds one whole matrix, and twice its tensor-parallel slice of it."""
    sizes = {f"model__{name}": size for name, size in SIZES.items()}
    plans = [tiny_plan(layout, training__precision=precision, **sizes) for layout in layouts]
    folder = workplace(plans[0]).bundle.parent
    (folder / "plans.json").write_text(json.dumps([plan.model_dump(mode="json") for plan in plans]))
    start = forked([str(folder)], {"OMP_NUM_THREADS": "1"}, layouts[0].gpus, folder / "output", "build_worker.py")
    start.wait(120)
    assert not any(process.exitcode for process in start.processes), (folder / "output").read_text()
    largest = max(shape.numel() for shape in full_shapes(plans[0].model).values())
    besides = 4 * largest + 2 * TORCH_DTYPE[precision].itemsize * largest // layouts[0].tensor
    for plan, peak in zip(plans, json.loads((folder / "peaks.json").read_text()), strict=True):
        assert share(plan) < peak <= share(plan) + besides
