"""What GPUs have saved becomes one model on any machine."""

from __future__ import annotations

from safetensors import safe_open

from trainwright.runtime.checkpoint.full_weights import full_shapes
from trainwright.spec.plan import read_plan


def test_a_run_of_any_layout_exports(trained, tmp_path):
    """Shards, slices and stages are put together: every weight of the model, whole."""
    trained.export(tmp_path / "model")
    with safe_open(tmp_path / "model" / "model.safetensors", "pt") as file:
        found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
    model = read_plan(trained.bundle).model
    wanted = {name: tuple(shape) for name, shape in full_shapes(model).items()}
    assert found == {
        name: shape for name, shape in wanted.items() if name != "lm_head.weight" or not model.tied_embeddings
    }
