"""What a limit bounds can be predicted.

Money needs a price in the same currency, and the energy of processors needs their draw. A limit on something unknown
could never be called kept, so it is refused rather than ignored.

Bad:

    limits: {cost: 2M USD}

Good:

    limits: {cost: 2M USD}
    cluster: {preset: meta-rsc, gpus: 1024, price: 1.80 USD/h}
"""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Loaded
from .finding import Finding

CODE = "TW342"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Limits on money without a price, and on energy without a draw."""
    cluster, limits = loaded.spec.cluster, loaded.spec.limits
    if limits is None:
        return
    if limits.cost is not None and cluster.price is None:
        yield Finding("limits.cost", "there is no price, so the cost is unknown", "Give `cluster.price: 1.80 USD/h`.")
    if limits.cost is not None and cluster.price is not None:
        yield from _currencies(limits.cost.currency, cluster.price.currency)
    for name in ("carbon", "energy", "site_power"):
        if getattr(limits, name) is not None and cluster.on_cpu and cluster.device_power is None:
            message = "the draw of these processors is unknown, and with it this"
            yield Finding(f"limits.{name}", message, "Give `cluster.device_power`, for example 15 W a process.")


def _currencies(limit: str, price: str) -> Iterator[Finding]:
    """A limit in another currency than the price: no rate of exchange is assumed."""
    if limit != price:
        message = f"the limit is in {limit} and the price in {price}"
        yield Finding("limits.cost", message, f"Write both in one currency, for example in {price}.")
