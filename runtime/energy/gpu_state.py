"""What holds a GPU back: its clock, heat, memory and throttle reasons, looked at once a second beside its energy.

In: looks at the driver. Out: means, highest values and shares since the last call. A value that no GPU can have is left
out and reported once; one that the driver does not have stays unknown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import pynvml

from ...spec.events import FaultEvent
from ...spec.facts import figures
from .nvml import Error, GpuHandle, VisibleGpus

HOTTEST: float = figures("metering")["hottest"]  # degrees Celsius
POWER = pynvml.nvmlClocksThrottleReasonSwPowerCap
HEAT = pynvml.nvmlClocksThrottleReasonSwThermalSlowdown | pynvml.nvmlClocksThrottleReasonHwThermalSlowdown
HARDWARE = pynvml.nvmlClocksThrottleReasonHwSlowdown | pynvml.nvmlClocksThrottleReasonHwPowerBrakeSlowdown


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a GPU; None is unknown."""

    clock_mhz: float | None = None
    temperature_celsius: float | None = None
    memory_bytes: float | None = None
    reasons: int | None = None


class GpuStateTrace:
    """The state of one GPU over time. `look` may be slow, and runs in the meter's thread; `take` returns at once."""

    def __init__(self, gpu: GpuHandle) -> None:
        self._gpu = gpu
        self._lock = threading.Lock()
        self._looks: list[Look] = []
        self._reported: set[str] = set()

    def look(self) -> list[FaultEvent]:
        """Look once; what the driver says that cannot be, the first time that it does."""
        faults: list[FaultEvent] = []
        highest = self._asked(pynvml.nvmlDeviceGetMaxClockInfo, pynvml.NVML_CLOCK_SM)
        clock = self._asked(pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM)
        heat = self._asked(pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU)
        memory = self._asked(pynvml.nvmlDeviceGetMemoryInfo)
        used, total = (None, None) if memory is None else (memory.used, memory.total)
        look = Look(
            self._believed("clock", "MHz", clock, highest, faults),
            self._believed("temperature", "degrees Celsius", heat, HOTTEST, faults),
            self._believed("memory in use", "bytes", used, total, faults),
            self._asked(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons),
        )
        with self._lock:
            self._looks.append(look)
        return faults

    def take(self) -> dict[str, Any]:
        """Fields of a `DeviceRow` over the looks since the last call."""
        with self._lock:
            looks, self._looks = self._looks, []
        clocks = [look.clock_mhz for look in looks if look.clock_mhz is not None]
        reasons = [look.reasons for look in looks if look.reasons is not None]
        return {
            "clock_mhz": round(fmean(clocks)) if clocks else None,
            "temperature_celsius": max(
                (t for look in looks if (t := look.temperature_celsius) is not None), default=None
            ),
            "memory_bytes": max((m for look in looks if (m := look.memory_bytes) is not None), default=None),
            "power_capped": _share(reasons, POWER),
            "too_hot": _share(reasons, HEAT),
            "slowed_by_hardware": _share(reasons, HARDWARE),
        }

    def _asked(self, call: Callable[..., Any], *what: int) -> Any:
        try:
            return call(self._gpu.handle, *what)
        except Error:
            return None  # the meter reports a GPU that does not answer

    def _believed(
        self, name: str, unit: str, value: float | None, most: float | None, faults: list[FaultEvent]
    ) -> float | None:
        """The value, unless no GPU can have it."""
        if value is None or most is None or value <= most:
            return value
        if name not in self._reported:
            self._reported.add(name)
            what = f"NVML reports a {name} of {value:,.0f} {unit} for {self._gpu.uuid}: at most {most:,.0f} is possible"
            faults.append(FaultEvent(what=what, action=f"such a {name} is left out of the log"))
        return None


class NodeStates:
    """The states of a node's GPUs; `by_rank` has the place among them, then among the hidden ones, of each rank's."""

    def __init__(self, gpus: VisibleGpus) -> None:
        self._traces = [GpuStateTrace(gpu) for gpu in gpus.gpus]
        seen = len(gpus.gpus)
        self.by_rank: Sequence[int] = (*gpus.by_rank, *range(seen, seen + gpus.hidden))

    def look(self) -> list[FaultEvent]:
        """Look at every GPU once; what the driver says that cannot be."""
        return [fault for trace in self._traces for fault in trace.look()]

    def take(self) -> list[dict[str, Any]]:
        """Fields of a `DeviceRow` by GPU, over the looks since the last call."""
        return [trace.take() for trace in self._traces]


def _share(reasons: list[int], bits: int) -> float | None:
    return round(sum(bool(seen & bits) for seen in reasons) / len(reasons), 3) if reasons else None
