"""What is predicted can keep the limits of the spec.

Limits are a contract: days, carbon, energy, cost, memory of a device, power of the site. Where even the best end of
the prediction's range is over a limit, the run would break it, and nothing is compiled. Site power has no range: all
devices may reach their cap at once.

Bad:

    limits: {site_power: 205 kW}
    cluster: {preset: meta-rsc, gpus: 1024, power_cap: 400 W}

Good:

    limits: {site_power: 205 kW}
    cluster: {preset: meta-rsc, gpus: 1024, power_cap: 200 W}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.estimate import Limit
from ...spec.hardware import gpu
from ...spec.limits import limit_text
from ...spec.sections import Cluster
from ..load import Loaded
from .finding import Finding
from .planned_layout import limits_of

CODE = "TW341"
OTHERWISE = {
    "days": "use more devices, a higher power cap, or fewer tokens",
    "carbon": "use a lower power cap, cleaner electricity, or fewer tokens",
    "energy": "use a lower power cap, or fewer tokens",
    "cost": "use fewer tokens, or cheaper devices",
    "memory": "use more devices, or a shorter sequence",
}


def check(loaded: Loaded) -> Iterator[Finding]:
    """Limits that the run would break even at the best end of its range."""
    for limit in limits_of(loaded):
        if limit.verdict == "broken" and limit.found:
            message = f"predicted {limit.found_text}, over the limit of {limit.most_text}"
            yield Finding(f"limits.{limit.name}", message, _remedy(loaded.spec.cluster, limit, limit.found.low))


def _remedy(cluster: Cluster, limit: Limit, best: float) -> str:
    if limit.name != "site_power":
        return f"Raise it above {limit_text(limit.name, best, limit.currency)}, or {OTHERWISE[limit.name]}."
    each, power = best / cluster.gpus, gpu(cluster.gpu).power
    fewer, share = int(limit.most / each), int(limit.most / cluster.gpus)
    ways = [f"Use at most {fewer:,} devices"] if fewer else []
    ways += [f"cap them to {share} W"] if power and share >= power.lowest else []
    if not ways:
        return f"Raise it: one device may draw {each:g} W."
    return f"{' or '.join(ways)}. `trainwright plan SPEC --under` says what finishes first."
