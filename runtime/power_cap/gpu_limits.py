"""Applying, reading back and restoring the power limits of this node's GPUs. Plan and run folder in, record out.

Limits are read through NVML, and set through nvidia-smi, the one program that sites let users run as root.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import gethostname

from ...spec.facts import figures
from ...spec.plan import Plan
from ..energy.cap import is_enforced, node_gpus
from ..energy.node import call_with_timeout
from ..energy.nvml import Error, GpuHandle
from . import guard
from .record import GpuLimit, NodePowerCap, load, locked, save

TIMEOUT: float = figures("metering")["nvidia_smi_timeout"]  # seconds


def read(plan: Plan) -> NodePowerCap:
    """What this node enforces now; changes and records nothing."""
    limits = call_with_timeout(lambda: tuple(GpuLimit(uuid=gpu.uuid) for gpu in node_gpus(plan).gpus), Error) or ()
    device = plan.device
    record = NodePowerCap(
        host=gethostname(), mode=device.power_cap_mode, power_cap_watts=device.power_cap_watts, gpus=limits
    )
    return _read_back(record, [None] * len(limits))


def apply(plan: Plan, run: Path, owner: str) -> NodePowerCap:
    """Set the cap where that is ours to do, until `owner` ends, and record what is enforced.

    The limits that were found are recorded before one is changed, so that a crash in between loses nothing.
    Raises OSError when nothing can be recorded; then nothing was changed.
    """
    asked = plan.device.power_cap_watts
    with locked(run):
        record = read(plan)
        if plan.device.power_cap_mode == "sudo" and asked is not None and record.gpus:
            found = _found(record.gpus, load(run))
            record = record.model_copy(update={"held": True, "owner": owner, "gpus": found})
            save(run, record)
            guard.start(run, owner)
            record = _read_back(record, [_set(limit.uuid, asked) for limit in found])
        save(run, record)
    return record


def restore(run: Path, owner: str | None = None) -> NodePowerCap | None:
    """Restore the limits that this node's record holds (for `owner`, if given); None when it holds none.

    What cannot be restored stays held, for the next start to try; what was enforced during the run stays on record.
    Raises OSError.
    """
    with locked(run):
        record = load(run)
        if record is None or not record.held or owner not in (None, record.owner):
            return None
        gpus = tuple(
            limit.model_copy(update={"problem": _set(limit.uuid, limit.before_watts) if limit.before_watts else None})
            for limit in record.gpus
        )
        record = record.model_copy(update={"gpus": gpus, "held": any(limit.problem for limit in gpus)})
        save(run, record)
        return record


def _found(limits: Sequence[GpuLimit], old: NodePowerCap | None) -> tuple[GpuLimit, ...]:
    """With the watts to go back to: those of a record that nobody restored, since today's would be our own cap."""
    kept = {limit.uuid: limit.before_watts for limit in old.gpus} if old and old.held else {}
    return tuple(
        limit.model_copy(update={"before_watts": kept.get(limit.uuid) or _ask(limit.uuid, GpuHandle.limit_watts)})
        for limit in limits
    )


def _read_back(record: NodePowerCap, problems: Sequence[str | None]) -> NodePowerCap:
    """The record with what is enforced now."""
    gpus = tuple(
        limit.model_copy(update={"enforced_watts": _ask(limit.uuid, GpuHandle.enforced_watts), "problem": problem})
        for limit, problem in zip(record.gpus, problems, strict=True)
    )
    verdicts = [is_enforced(limit.enforced_watts, record.power_cap_watts) for limit in gpus]
    applied = False if False in verdicts else None if None in verdicts or not verdicts else True
    return record.model_copy(update={"gpus": gpus, "applied": applied})


def _ask(uuid: str, question: Callable[[GpuHandle], float]) -> float | None:
    """A GPU's answer in watts; None when it gives none."""

    def answer() -> float:
        gpu = GpuHandle(uuid, None)
        gpu.renew()
        return question(gpu)

    return call_with_timeout(answer, Error)


def _set(uuid: str, watts: float) -> str | None:
    """Set a limit; what went wrong, if anything."""
    root = () if os.geteuid() == 0 else ("sudo", "-n")
    command = [*root, "nvidia-smi", "-i", uuid, "-pl", f"{watts:g}"]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (done.stderr + done.stdout).strip().splitlines()
    return None if done.returncode == 0 else f"{command[0]} ended with {done.returncode}: {said[0] if said else ''}"
