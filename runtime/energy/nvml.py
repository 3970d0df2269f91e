"""NVIDIA GPUs through NVML: which of them this node's ranks use, their energy counters, power and power limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, NamedTuple

import pynvml

from ...spec.facts import figures
from .device_energy import InstrumentLimits

Error: Any = pynvml.NVMLError  # what every function here may raise
SPIKE: float = figures("metering")["power_spike"]  # times its highest limit


@dataclass(slots=True)
class GpuHandle:
    """A physical GPU by its UUID. After an error its handle is fetched again: a reset makes the old one invalid."""

    uuid: str
    handle: Any = field(repr=False)

    def renew(self) -> None:
        """Fetch the handle again, after initialising NVML again where that was lost."""
        try:
            self.handle = pynvml.nvmlDeviceGetHandleByUUID(self.uuid.encode())
        except Error as error:
            if error.value != pynvml.NVML_ERROR_UNINITIALIZED:
                raise
            pynvml.nvmlInit()
            self.handle = pynvml.nvmlDeviceGetHandleByUUID(self.uuid.encode())

    def joules(self) -> float:
        """Energy counter, in joules since the driver was loaded."""
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(self.handle) / 1000

    def watts(self) -> float:
        """Power draw in watts."""
        return pynvml.nvmlDeviceGetPowerUsage(self.handle) / 1000

    def enforced_watts(self) -> float:
        """The power limit that the driver enforces: the lowest of all that are set, by anyone, in watts."""
        return pynvml.nvmlDeviceGetEnforcedPowerLimit(self.handle) / 1000

    def limit_watts(self) -> float:
        """The power limit set through the driver, in watts."""
        return pynvml.nvmlDeviceGetPowerManagementLimit(self.handle) / 1000

    def limit_range(self) -> tuple[float, float]:
        """Lowest and highest power limit that can be set, in watts."""
        low, high = pynvml.nvmlDeviceGetPowerManagementLimitConstraints(self.handle)
        return low / 1000, high / 1000


class VisibleGpus(NamedTuple):
    """The distinct physical GPUs of a node's ranks, and how many of the devices asked for this process cannot see."""

    gpus: list[GpuHandle]
    hidden: int
    by_rank: tuple[int, ...] = ()  # the place in `gpus` of each local rank's; MIG slices share one


def find_gpus(visible: str | None, count: int) -> VisibleGpus:
    """The physical GPUs behind the first `count` CUDA devices. Raises Error when NVML is not there.

    `visible` is CUDA_VISIBLE_DEVICES: indices, UUIDs or their unique beginnings, or MIG UUIDs; CUDA ignores
    everything from the first invalid entry on. CUDA's order is taken to be NVML's (CUDA_DEVICE_ORDER=PCI_BUS_ID).
    """
    pynvml.nvmlInit()
    everything = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
    by_uuid = {_text(pynvml.nvmlDeviceGetUUID(handle)): handle for handle in everything}
    chosen = list(by_uuid)
    if visible is not None:
        named = (_find(entry.strip(), list(by_uuid)) for entry in visible.split(","))
        chosen = [uuid for uuid in takewhile(lambda uuid: uuid is not None, named) if uuid is not None]
    chosen = chosen[:count]
    own = list(dict.fromkeys(chosen))
    return VisibleGpus([GpuHandle(u, by_uuid[u]) for u in own], count - len(chosen), tuple(map(own.index, chosen)))


def _find(entry: str, uuids: list[str]) -> str | None:
    """The UUID of the physical GPU that an entry of CUDA_VISIBLE_DEVICES names; None when it names none."""
    if entry.isdecimal():
        return uuids[int(entry)] if int(entry) < len(uuids) else None
    if entry.startswith("MIG-"):
        try:
            slice_ = pynvml.nvmlDeviceGetHandleByUUID(entry.encode())
            return _text(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(slice_)))
        except Error:
            return None
    matches = [uuid for uuid in uuids if entry and uuid.startswith(entry)]
    return matches[0] if len(matches) == 1 else None


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


class GpuProbe:
    """A GPU as the sampler sees it."""

    def __init__(self, gpu: GpuHandle) -> None:
        self._gpu = gpu
        self._failed = False
        self.device = gpu.uuid
        self.limits = InstrumentLimits(_ceiling(gpu), counter=_supported(gpu.joules))

    @property
    def readable(self) -> bool:
        """Whether the GPU has a counter or shows its power."""
        return self.limits.counter or _supported(self._gpu.watts)

    def sample(self) -> tuple[float | None, float | None, str]:
        """Energy counter in joules and power in watts."""
        reasons: list[str] = []
        if self._failed:
            self._try(self._gpu.renew, reasons)
        joules = self._try(self._gpu.joules, reasons) if self.limits.counter else None
        watts = self._try(self._gpu.watts, reasons)
        self._failed = bool(reasons)
        return joules, watts, reasons[0] if reasons else ""

    @staticmethod
    def _try(call: Any, reasons: list[str]) -> Any:
        try:
            return call()
        except Error as error:
            reasons.append(f"NVML: {error}")
            return None


class HiddenGpuProbe:
    """A device whose rank was given a GPU that this process cannot see: a gap for the whole run, not zero."""

    limits = InstrumentLimits()

    def __init__(self, number: int) -> None:
        self.device = f"unseen-{number}"

    def sample(self) -> tuple[float | None, float | None, str]:
        """Nothing."""
        return None, None, "local rank 0 cannot see this GPU: CUDA_VISIBLE_DEVICES or the job's cgroup hides it"


def _ceiling(gpu: GpuHandle) -> float | None:
    try:
        return SPIKE * gpu.limit_range()[1]
    except Error:
        return None


def _supported(call: Any) -> bool:
    """Whether the device has this reading at all; an error that may pass does not count against it."""
    try:
        call()
    except Error as error:
        return error.value not in (pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
    return True
