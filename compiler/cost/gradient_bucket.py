"""The size of DeepSpeed's gradient buffer: what ds_config.json asks for and what the estimate counts are one number.

In: a model and its tensor-parallel degree. Out: elements.
"""

from __future__ import annotations

from ...spec.shape import ModelShape

LAYERS = 2  # that a bucket holds
SMALLEST = 2**20
LARGEST = 500_000_000  # DeepSpeed's default


def bucket_elements(shape: ModelShape, tensor: int) -> int:
    """Elements of `reduce_bucket_size`: a few layers, so that small models are not held up by large buffers."""
    return min(LARGEST, max(SMALLEST, LAYERS * shape.layer_parameters // tensor))
