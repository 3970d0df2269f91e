"""At most four hours of work are lost to one failure.

A failure costs the steps since the last checkpoint. The time of a step is taken from the model's arithmetic at 40% of
the devices' peak: a rough figure, good enough to distinguish minutes from days.

Bad:

    training: {checkpoint: {every: 20000 steps}}

Good:

    training: {checkpoint: {every: 30 min}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ...spec.hardware import gpu
from ...spec.quantity import Amount
from ..load import Loaded
from .device import is_known
from .finding import Finding

CODE = "TW406"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Checkpoints too far apart."""
    rule, every = figures("sanity")["lost_hours"], loaded.spec.training.checkpoint.every
    if every is None:
        return  # the planner's own interval is at most three hours
    hours = every.value / 3600 if every.unit == "seconds" else _hours(loaded, every, rule["utilisation"])
    if hours is not None and hours > rule["most"]:
        message = f"a failure can lose about {hours:.2g} hours of {loaded.spec.cluster.gpus} devices"
        yield Finding("training.checkpoint.every", message, "Write for example `every: 30 min`.")


def _hours(loaded: Loaded, every: Amount, utilisation: float) -> float | None:
    """Hours between checkpoints, where the peak of the device is known."""
    spec = loaded.spec
    peak = gpu(spec.cluster.gpu).peak(spec.training.precision) if is_known(spec.cluster.gpu) else None
    if peak is None:
        return None
    length = spec.training.sequence_length
    tokens = every.value if every.unit == "tokens" else every.value * spec.training.requested_sequences * length
    flops = 6.0 * spec.model.shape.parameters * tokens
    return flops / (spec.cluster.gpus * peak * utilisation) / 3600
