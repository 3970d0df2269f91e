"""Energy of a run: `open_meter` finds the best instrument of this node, `PhaseLedger` splits its energy over phases.

    meter = open_meter(plan, local_rank)                 # once per process; local rank 0 meters the whole node
    vector = meter.read().vector()                       # add this up over all ranks ...
    ledger.charge("train", Reading.from_vector(total))   # ... and charge it to what the run was doing

Sources, the best first: NVML energy counters of the GPUs, RAPL packages of the CPUs, an assumed power, unknown.
"""

from __future__ import annotations

import os
import threading
from queue import Empty, SimpleQueue

from ...spec.plan import Plan
from .meter import AbsentMeter, Meter, SteadyMeter
from .phases import PhaseLedger
from .reading import JOULES_PER_KWH, Gap, Reading, Source
from .sampler import SampledMeter

__all__ = ["JOULES_PER_KWH", "Gap", "Meter", "PhaseLedger", "Reading", "Source", "open_meter"]

PATIENCE = 20.0  # seconds until an instrument that does not answer counts as absent


def open_meter(plan: Plan, local_rank: int) -> Meter:
    """Open the meter of this node (local rank 0) or one that adds nothing (all others)."""
    if local_rank != 0:
        return AbsentMeter()
    found: SimpleQueue[SampledMeter | None] = SimpleQueue()
    look = _find_gpus if plan.device.kind == "cuda" else _find_packages
    threading.Thread(target=lambda: found.put(look(plan)), daemon=True).start()  # a driver can hang for good
    try:
        meter = found.get(timeout=PATIENCE)
    except Empty:
        meter = None
    return meter.start() if meter else SteadyMeter(plan.device.assumed_watts, devices_here(plan))


def devices_here(plan: Plan) -> int:
    """Devices of the run on this node: torchrun's local world size, else what the plan says of a full node."""
    local = os.environ.get("LOCAL_WORLD_SIZE")
    return int(local) if local else min(plan.device.per_node, plan.device.count)


def _find_gpus(plan: Plan) -> SampledMeter | None:
    from .cap_watch import CapWatch
    from .nvml import Error, GpuProbe, gpus

    try:
        here = gpus(os.environ.get("CUDA_VISIBLE_DEVICES"), devices_here(plan))
    except Error:
        return None
    probes = [GpuProbe(gpu) for gpu in here]
    if not any(probe.readable for probe in probes):
        return None
    return SampledMeter("nvml", probes, [CapWatch(here, plan.device.power_cap_watts)])


def _find_packages(_: Plan) -> SampledMeter | None:
    from .rapl import POWERCAP, packages

    probes = packages(POWERCAP)
    return SampledMeter("rapl", probes) if probes else None
