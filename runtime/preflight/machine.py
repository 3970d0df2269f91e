"""Checks of one machine: devices, memory, and the disk that the checkpoints go to."""

from __future__ import annotations

import os
import resource
import shutil
import sysconfig
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psutil

from ...spec.plan import Plan
from ...spec.units import GIB, MIB
from ..data.shard_files import OPEN_FILES
from ..parallel.gloo import connections
from .check_result import CheckResult
from .devices import check_devices

SAMPLE_BYTES = 64 * MIB
LIBRARY_FILES = 256  # descriptors: CUDA, NCCL and its links inside a node, logs, TensorBoard
GROUPS = 12  # of ranks that talk through gloo at most: all, and those of each degree of a layout, DeepSpeed's included
RDMA = ("infiniband", "roce", "efa")
SLOW_SAVE_SECONDS = 600


def check_machine(plan: Plan, run: Path) -> list[CheckResult]:
    """Every check that one node can make alone."""
    own = [processors(plan), memory(plan), open_files(plan), *locked_memory(plan), *compiler(plan)]
    return [*check_devices(plan), *own, *trackers(plan), disk_space(plan, run), disk_speed(plan, run)]


def checkpoint_bytes(plan: Plan) -> int:
    """Size of one checkpoint generation, in bytes."""
    return round(plan.model.shape.checkpoint_bytes(plan.training.precision))


def processors(plan: Plan) -> CheckResult:
    """Enough cores for the ranks of this node."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ranks = plan.device.per_node
    if cores < ranks:
        return CheckResult(
            "cores", "warn", f"{cores} for {ranks} ranks", "ranks will take turns: give the job more cores"
        )
    return CheckResult("cores", "pass", f"{cores} for {ranks} ranks")


def memory(plan: Plan) -> CheckResult:
    """Enough free memory for the state of the ranks (on CPU), or to stage a checkpoint (on GPUs)."""
    free, share = psutil.virtual_memory().available, plan.device.per_node / plan.device.count
    needed = round(checkpoint_bytes(plan) * share)
    seen = f"{free / GIB:.1f} GiB free, {needed / GIB:.1f} GiB of state on this node"
    if free < needed:
        return CheckResult(
            "memory", "fail" if plan.device.kind == "cpu" else "warn", seen, "use more nodes, or free memory"
        )
    return CheckResult("memory", "pass", seen)


def open_files(plan: Plan) -> CheckResult:
    """Enough descriptors for a rank: libraries, shards, and sockets to other ranks in each group."""
    needed = OPEN_FILES + LIBRARY_FILES + GROUPS * connections(plan.layout.gpus)
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # the soft limit is raised to it
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        remedy = "raise the hard limit (ulimit -Hn; limits.conf, or LimitNOFILE of slurmd or containerd)"
        return CheckResult("open files", "fail", f"{allowed} allowed, {needed} needed by a rank", remedy)
    return CheckResult("open files", "pass", f"{needed} needed by a rank")


def locked_memory(plan: Plan) -> list[CheckResult]:
    """RDMA locks the memory that it reads and writes, without a limit; nothing to say where there is none."""
    several = plan.device.count > plan.device.per_node
    if plan.device.kind == "cpu" or not several or plan.device.interconnect not in RDMA:
        return []
    allowed = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if allowed == resource.RLIM_INFINITY:
        return [CheckResult("locked memory", "pass", "unlimited")]
    remedy = "RDMA needs `ulimit -l unlimited` (limits.conf, LimitMEMLOCK=infinity of slurmd, IPC_LOCK in a pod)"
    return [CheckResult("locked memory", "warn", f"{allowed / MIB:.3g} MiB allowed", remedy)]


def compiler(plan: Plan) -> list[CheckResult]:
    """What torch.compile needs on a GPU: Triton, which builds its launchers in C; nothing to say where it is off."""
    if plan.device.kind == "cpu" or not plan.training.compile:
        return []
    needed = {
        "the package triton": find_spec("triton") is not None,
        "a C compiler (gcc, or CC)": any(shutil.which(name) for name in (os.environ.get("CC", ""), "gcc", "clang")),
        "Python.h": Path(sysconfig.get_path("include"), "Python.h").exists(),
    }
    if missing := [name for name, found in needed.items() if not found]:
        remedy = "install it (Debian: gcc, python3-dev), or write training.compile: false, which is slower"
        return [CheckResult("compiler", "fail", f"torch.compile lacks {' and '.join(missing)}", remedy)]
    return [CheckResult("compiler", "pass", "torch.compile has Triton and a C compiler")]


def trackers(plan: Plan) -> list[CheckResult]:
    """The packages of the trackers that the spec asks for; nothing to say where it asks for none."""
    asked = [name for name in ("wandb", "mlflow") if plan.logging and getattr(plan.logging, name)]
    missing = [name for name in asked if not find_spec(name)]
    if missing:
        remedy = f"pip install 'trainwright[{','.join(missing)}]', or remove it from `logging` of the spec"
        return [CheckResult("trackers", "fail", f"{' and '.join(missing)} cannot be imported", remedy)]
    return [CheckResult("trackers", "pass", " and ".join(asked))] if asked else []


def disk_space(plan: Plan, run: Path) -> CheckResult:
    """Room for the checkpoints that are kept, and for the one being written."""
    free = shutil.disk_usage(run).free
    needed = checkpoint_bytes(plan) * (plan.training.checkpoint.keep_last + 1)
    seen = f"{free / GIB:.1f} GiB free, {needed / GIB:.1f} GiB for {plan.training.checkpoint.keep_last + 1} checkpoints"
    if free < needed:
        return CheckResult(
            "disk space", "fail", seen, "free space, choose another run folder, or keep fewer checkpoints"
        )
    return CheckResult("disk space", "pass", seen)


def disk_speed(plan: Plan, run: Path) -> CheckResult:
    """How long one checkpoint will take, from writing and syncing a sample."""
    rate = _write_rate(run, min(SAMPLE_BYTES, checkpoint_bytes(plan)))
    seconds = checkpoint_bytes(plan) / rate
    seen = f"{rate / MIB:.0f} MiB/s: a checkpoint takes about {seconds:.1f} s"
    if seconds > SLOW_SAVE_SECONDS:
        return CheckResult("disk speed", "warn", seen, "save less often, or choose a faster file system")
    return CheckResult("disk speed", "pass", seen)


def _write_rate(folder: Path, size: int) -> float:
    """Bytes a second for a file of `size` bytes, the sync to the disk included."""
    block = os.urandom(MIB)
    with tempfile.TemporaryFile(dir=folder) as file:
        started = time.perf_counter()
        for _ in range(-(-size // MIB)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        return -(-size // MIB) * MIB / (time.perf_counter() - started)
