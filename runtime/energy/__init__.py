"""Energy of a run: `open_meter` finds the best instrument of this node, `PhaseLedger` splits its energy over phases.

    meter = open_meter(plan, local_rank)                 # once per process; local rank 0 meters the whole node
    vector = meter.read().vector()                       # add this up over all ranks ...
    ledger.charge("train", Reading.from_vector(total))   # ... and charge it to what the run was doing

Sources, the best first: NVML energy counters of the GPUs, RAPL packages of the CPUs, an assumed power, unknown.
"""

from __future__ import annotations

import os

from ...spec.plan import Plan
from .meter import AbsentMeter, Meter, SteadyMeter
from .phases import PhaseLedger
from .reading import JOULES_PER_KWH, Gap, Reading, Source

__all__ = ["JOULES_PER_KWH", "Gap", "Meter", "PhaseLedger", "Reading", "Source", "open_meter"]


def open_meter(plan: Plan, local_rank: int) -> Meter:
    """Open the meter of this node (local rank 0) or one that adds nothing (all others)."""
    if local_rank != 0:
        return AbsentMeter()
    return SteadyMeter(plan.device.assumed_watts, devices_here(plan))


def devices_here(plan: Plan) -> int:
    """Devices of the run on this node: torchrun's local world size, else what the plan says of a full node."""
    local = os.environ.get("LOCAL_WORLD_SIZE")
    return int(local) if local else min(plan.device.per_node, plan.device.count)
