"""Pipeline stages: the training loop runs one.

A published run may use several, and the estimator counts them, but this project's loop does not run pipelines:
DeepSpeed's pipeline engine excludes ZeRO-2 and 3, and updates the weights before the loop could look at the loss. A
layer count that does not divide over the stages would be wrong anywhere.

Bad:

    parallel: {pipeline: 4}

Good:

    parallel: {pipeline: 1, tensor: 4}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW303"


def check(loaded: Loaded) -> Iterator[Finding]:
    """More than one stage, and layers that do not divide over the stages."""
    stages, layers = loaded.spec.parallel.pipeline, loaded.spec.model.layers
    if stages is None or stages == 1:
        return
    uneven = f", and {layers} layers do not divide over them" if layers % stages else ""
    message = f"{stages} pipeline stages: the training loop runs one{uneven}"
    yield Finding(
        "parallel.pipeline", message, "Write `pipeline: 1`, and more `tensor` or a higher `zero` to save memory."
    )
