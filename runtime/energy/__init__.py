"""Energy of a run: `open_meter` finds the best instrument of this node, `PhaseLedger` splits its energy over phases.

    meter = open_meter(plan, local_rank)                 # once per process; local rank 0 meters the whole node
    vector = meter.read().vector()                       # add this up over all ranks ...
    ledger.charge("train", Reading.from_vector(total))   # ... and charge it to what the run was doing

Sources, the best first: NVML energy counters of the GPUs, RAPL packages of the CPUs, an assumed power, unknown.
"""

from __future__ import annotations

from ...spec.plan import Plan
from .meter import ConstantPowerMeter, Meter, NoMeter
from .meter_reading import MeterSource, Reading
from .node import call_with_timeout, devices_here
from .phases import PhaseLedger
from .sampler import SampledMeter

__all__ = ["Meter", "MeterSource", "PhaseLedger", "Reading", "open_meter"]


def open_meter(plan: Plan, local_rank: int) -> Meter:
    """Open the meter of this node (local rank 0) or one that adds nothing (all others)."""
    if local_rank != 0:
        return NoMeter()
    sampled = _gpu_meter(plan) if plan.device.kind == "cuda" else _package_meter()
    return sampled or ConstantPowerMeter(plan.device.assumed_watts, devices_here(plan))


def _gpu_meter(plan: Plan) -> SampledMeter | None:
    from .cap import CapWatch, node_gpus
    from .gpu_state import NodeStates
    from .nvml import Error, GpuProbe, HiddenGpuProbe

    def start() -> SampledMeter | None:
        found = node_gpus(plan)
        probes = [GpuProbe(gpu) for gpu in found.gpus]
        if not any(probe.readable for probe in probes):
            return None
        unseen = [HiddenGpuProbe(number) for number in range(found.hidden)]
        watch = CapWatch(found.gpus, plan.device.power_cap_watts)
        return SampledMeter("nvml", [*probes, *unseen], [watch], states=NodeStates(found)).start()

    return call_with_timeout(start, Error)


def _package_meter() -> SampledMeter | None:
    from .rapl import POWERCAP, packages

    probes = packages(POWERCAP)
    return SampledMeter("rapl", probes).start() if probes else None
