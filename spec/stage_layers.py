"""Which pipeline stage has how many layers: equally many, or fewer where the embedding and the head are.

Llama 3 405B put 126 layers on 16 stages, the first and the last with one layer less (arXiv 2407.21783, section 3.3.2).
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from .layout import Layout
from .shape import ModelShape


@lru_cache(maxsize=8192)
def split(layers: int, stages: int, head: float) -> tuple[int, ...]:
    """Layers of each stage such that the slowest is as fast as can be; `head` is the time of head and loss in layers.

    The last stage, which has the head, is the lightest, then the first, which has the embedding.
    """
    if stages == 1:
        return (layers,)
    fewest = ceil(layers / stages)

    def slowest(last: int) -> float:
        return max(ceil((layers - last) / (stages - 1)), last + head)

    last = min(range(min(fewest, layers - stages + 1), 0, -1), key=slowest)
    base, extra = divmod(layers - last, stages - 1)
    return (*(base,) * (stages - 1 - extra), *(base + 1,) * extra, last)


def head_layers(shape: ModelShape) -> float:
    """The head's arithmetic, in layers."""
    return shape.vocab_size * shape.hidden_size / shape.layer_parameters


def stage_layers(shape: ModelShape, layout: Layout) -> tuple[int, ...]:
    """Layers of each stage: as equal as can be, or balanced where the layout says so."""
    if layout.uneven_stages:
        return split(shape.layers, layout.pipeline, head_layers(shape))
    base, extra = divmod(shape.layers, layout.pipeline)
    return (*(base + 1,) * extra, *(base,) * (layout.pipeline - extra))
