"""Each pipeline stage has a layer at least, and a precision and a ZeRO stage that leave its gradients alone.

The first stage holds the embedding, the last the head and fewer layers. Stages go with ZeRO-1, the only one under which
DeepSpeed leaves gradients alone until the last micro-batch, and with bf16 or fp32, whose gradients are not scaled.

Bad:

    parallel: {pipeline: 81}

Good:

    parallel: {pipeline: 4}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW303"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Stages that the model, the precision or the ZeRO stage cannot have."""
    spec = loaded.spec
    stages, layers = spec.parallel.pipeline, spec.model.layers
    if stages is None or stages == 1:
        return
    if stages > layers:
        message = f"{layers} layers are too few for {stages} stages"
        yield Finding("parallel.pipeline", message, f"Write `pipeline: {layers}` or less.")
    if spec.training.precision == "fp16":
        message = "gradients of fp16 are scaled, and stages would scale them again"
        yield Finding("parallel.pipeline", message, "Write `precision: bf16`, or `pipeline: 1`.")
    if spec.parallel.zero in (2, 3):
        message = f"ZeRO-{spec.parallel.zero} moves gradients or weights with every micro-batch of a stage"
        yield Finding("parallel.zero", message, "Write `zero: 1`, or `pipeline: 1`.")
