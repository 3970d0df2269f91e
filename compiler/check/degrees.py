"""The parallel degrees that the spec fixes fit the number of devices: their product divides it, or equals it.

data x sequence x tensor x pipeline is the number of devices. What is left open is planned, from what remains.

Bad:

    cluster: {preset: meta-rsc, gpus: 64}
    parallel: {data: 16, tensor: 8}

Good:

    cluster: {preset: meta-rsc, gpus: 64}
    parallel: {data: 8, tensor: 8}
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW308"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Degrees whose product does not fit the cluster."""
    parallel, gpus = loaded.spec.parallel, loaded.spec.cluster.gpus
    asked = {name: getattr(parallel, name) for name in ("data", "sequence", "tensor", "pipeline")}
    fixed = {name: degree for name, degree in asked.items() if degree is not None}
    product = math.prod(fixed.values())
    complete = len(fixed) == len(asked) or (parallel.data is not None and product == gpus)
    if gpus % product == 0 and (not complete or product == gpus):
        return
    terms = " x ".join(f"{name} {degree}" for name, degree in fixed.items())
    rest = product // (parallel.data or 1)
    remedy = (
        f"Write `data: {gpus // rest}`, or leave `data` out." if gpus % rest == 0 else "Use degrees that divide it."
    )
    yield Finding("parallel", f"{terms} = {product} does not fit {gpus} devices", remedy)
