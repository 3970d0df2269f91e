"""The test's side of the fake NVML: builds fake.c, maps its state, and plans faults. Mirrors fake.h."""

from __future__ import annotations

import ctypes
import mmap
import shutil
import subprocess
import time
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pynvml

HERE = Path(__file__).parent
SONAME = "libnvidia-ml.so.1"
MAX_DEVICES, MAX_SLICES, FUNCTIONS, UUID = 16, 4, 24, 64
FOREVER = 2**32 - 1


class Function(IntEnum):
    """The functions that can fail, in the order of fake.c."""

    INIT = 0
    SHUTDOWN = 1
    COUNT = 2
    BY_INDEX = 3
    BY_UUID = 4
    GET_UUID = 5
    ENERGY = 6
    POWER = 7
    LIMIT = 8
    ENFORCED = 9
    RANGE = 10
    DEFAULT = 11
    SET_LIMIT = 12
    MIG_PARENT = 13
    CLOCK = 14
    MAX_CLOCK = 15
    TEMPERATURE = 16
    MEMORY = 17
    THROTTLE = 18


class Device(ctypes.Structure):
    """One GPU."""

    _fields_ = [
        ("uuid", ctypes.c_char * UUID),
        ("energy_mj", ctypes.c_uint64),
        ("since", ctypes.c_double),
        *(
            (name, ctypes.c_uint32)
            for name in ("power_mw", "limit_mw", "enforced_mw", "default_mw", "low_mw", "high_mw")
        ),
        ("ignores_limit", ctypes.c_uint32),
        ("slices", ctypes.c_char * UUID * MAX_SLICES),
        *((name, ctypes.c_uint32) for name in ("clock_mhz", "max_clock_mhz", "celsius")),
        *((name, ctypes.c_uint64) for name in ("throttle_reasons", "used_bytes")),
    ]


class Fault(ctypes.Structure):
    """A planned fault of one function, and how often it was called and failed."""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("first", "times", "code", "sleep_ms")),
        ("device", ctypes.c_int32),
        *((name, ctypes.c_uint32) for name in ("calls", "fired")),
    ]


class State(ctypes.Structure):
    """All of it."""

    _fields_ = [
        *((name, ctypes.c_uint32) for name in ("devices", "live", "initialised", "pad")),
        ("device", Device * MAX_DEVICES),
        ("fault", Fault * FUNCTIONS),
    ]


class FakeNvml:
    """GPUs whose true energy the test knows. Powers are watts, energies joules."""

    def __init__(self, path: Path, devices: int, watts: float = 300.0) -> None:
        self.path = path
        path.write_bytes(bytes(ctypes.sizeof(State)))
        with path.open("r+b") as file:
            self.state = State.from_buffer(mmap.mmap(file.fileno(), 0))
        self.state.devices = devices
        self._carry = [0.0] * devices
        for i in range(devices):
            device = self.state.device[i]
            device.uuid = f"GPU-{i:08x}-fake".encode()
            device.energy_mj = 10**9 * (i + 1)
            device.power_mw = round(watts * 1000)
            device.low_mw, device.high_mw = 100_000, 400_000
            device.clock_mhz, device.max_clock_mhz, device.celsius = 1275, 1410, 55
            device.limit_mw = device.enforced_mw = device.default_mw = 400_000
        for fault in self.state.fault:
            fault.device = -1

    def device(self, index: int) -> Device:
        """One GPU's state."""
        return self.state.device[index]

    def advance(self, seconds: float) -> None:
        """Let every GPU use its power for `seconds`; fractions of a millijoule are kept."""
        for i in range(self.state.devices):
            self._carry[i] += self.device(i).power_mw * seconds
            whole = int(self._carry[i])
            self.device(i).energy_mj += whole
            self._carry[i] -= whole

    def go_live(self) -> None:
        """From now on the counters follow the real clock."""
        for i in range(self.state.devices):
            self.device(i).since = time.monotonic()
        self.state.live = 1

    def fail(self, function: Function, *, after: int = 0, times: int = FOREVER, device: int = -1, **how: int) -> None:
        """Make a function fail `times` times, after `after` more good calls; `how` is code=... or sleep_ms=... ."""
        fault = self.state.fault[function]
        fault.fired, fault.device = 0, device
        fault.code, fault.sleep_ms = how.get("code", 0), how.get("sleep_ms", 0)
        fault.first, fault.times = fault.calls + after + 1, times

    def heal(self, function: Function) -> None:
        """End a fault."""
        self.state.fault[function].times = 0

    def fired(self, function: Function) -> int:
        """How often the fault struck."""
        return self.state.fault[function].fired


def compiler() -> str | None:
    """A C compiler, where there is one."""
    return shutil.which("cc") or shutil.which("gcc")


@cache
def loaded() -> ctypes.CDLL:
    """The library, built once a process and loaded: from now on a dlopen of its name finds it."""
    return ctypes.CDLL(str(build(Path(mkdtemp(prefix="fake-nvml-")))))


def build(folder: Path, *flags: str) -> Path:
    """Compile the library into `folder`, under the name that the driver's has."""
    library = folder / SONAME
    _compile("-shared", "-fPIC", f"-Wl,-soname,{SONAME}", *flags, "-o", library, HERE / "fake.c")
    return library


@cache
def tools() -> Path:
    """A folder with `sudo` and `nvidia-smi`, built once a process."""
    folder = Path(mkdtemp(prefix="fake-smi-"))
    shutil.copy(HERE / "bin" / "sudo", folder)
    _compile("-o", folder / "nvidia-smi", HERE / "nvidia_smi.c", HERE / "fake.c")
    return folder


def _compile(*arguments: str | Path) -> None:
    subprocess.run([compiler() or "cc", "-O1", *arguments], check=True)


def forget() -> None:
    """Make pynvml load its library again at the next nvmlInit."""
    pynvml.nvmlLib = None
    pynvml._nvmlGetFunctionPointer_cache.clear()
