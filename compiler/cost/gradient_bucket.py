"""The size of DeepSpeed's gradient buffer: what ds_config.json asks for and what the estimate counts are one number.

In: a model and its tensor-parallel degree. Out: elements.
"""

from __future__ import annotations

from ...spec.facts import figures
from ...spec.shape import ModelShape


def bucket_elements(shape: ModelShape, tensor: int) -> int:
    """Elements of `reduce_bucket_size`: a few layers, so that small models are not held up by large buffers."""
    usual = figures("planning")
    wanted = usual["bucket_layers"] * shape.layer_parameters // tensor
    return min(usual["largest_bucket"], max(usual["smallest_bucket"], wanted))
