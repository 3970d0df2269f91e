"""Checks of a node's GPUs: as many as the plan counts on, of the kind that it names, with a driver and the cap."""

from __future__ import annotations

import re

import pynvml
import torch

from ...spec.facts import facts
from ...spec.plan import Plan
from ..energy.cap import observe_cap
from ..energy.node import call_with_timeout
from .check_result import CheckResult


def check_devices(plan: Plan) -> list[CheckResult]:
    """Findings about the GPUs of this node; none for a run on CPUs."""
    if plan.device.kind == "cpu":
        return []
    seen = call_with_timeout(_present, pynvml.NVMLError)
    if seen is None:
        remedy = "load NVIDIA's driver, or give the job GPUs"
        return [CheckResult("devices", "fail", "the driver does not answer", remedy)]
    driver, names = seen
    return [_count(plan, names), _kind(plan, names), driver_fits(driver, torch.version.cuda), *_cap(plan)]


def _present() -> tuple[str, list[str]]:
    """Driver version and the names of the GPUs. Raises NVMLError."""
    pynvml.nvmlInit()
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    return pynvml.nvmlSystemGetDriverVersion(), [pynvml.nvmlDeviceGetName(handle) for handle in handles]


def driver_fits(driver: str, cuda: str | None) -> CheckResult:
    """Whether the installed torch, which is built for a version of CUDA (None: for none), runs on this driver."""
    built = f"torch {torch.__version__} is built for CUDA {cuda}"
    if cuda is None:
        return CheckResult(
            "driver", "fail", f"{driver}; {built.replace('CUDA None', 'CPUs')}", "install torch for CUDA"
        )
    oldest = facts("drivers")["oldest"].get(int(cuda.split(".")[0]))
    if oldest is None or _numbers(driver) >= _numbers(oldest):
        return CheckResult("driver", "pass", driver)
    fitting = max((c for c, d in facts("drivers")["oldest"].items() if _numbers(driver) >= _numbers(d)), default=None)
    other = f", or install torch for CUDA {fitting}" if fitting else ""
    return CheckResult(
        "driver", "fail", f"{driver}; {built}", f"install driver {oldest} or newer{other} (docs: drivers)"
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _count(plan: Plan, names: list[str]) -> CheckResult:
    seen = f"{len(names)} of {plan.device.per_node}"
    if len(names) < plan.device.per_node:
        return CheckResult("devices", "fail", seen, "missing GPU: drain the node and report it")
    return CheckResult("devices", "pass", seen)


def _kind(plan: Plan, names: list[str]) -> CheckResult:
    """The driver's names are written in many ways (`NVIDIA A100-SXM4-80GB`), so only the model's first word counts."""
    model = re.split("[- ]", plan.device.name)[0]
    others = sorted({name for name in names if model.lower() not in name.lower()})
    if others:
        remedy = "estimate and peak are of another device: change cluster.gpu"
        return CheckResult("device model", "warn", f"{', '.join(others)}, planned {plan.device.name}", remedy)
    return CheckResult("device model", "pass", plan.device.name)


def _cap(plan: Plan) -> list[CheckResult]:
    """Whether the planned power cap is in force."""
    cap = observe_cap(plan)
    if cap.power_cap_watts is None:
        return []
    if cap.enforced_watts is None:
        return [
            CheckResult(
                "power cap", "warn", "the driver does not report the power limit", "the report will say unknown"
            )
        ]
    seen = f"{cap.enforced_watts:g} W enforced, {cap.power_cap_watts:g} W planned"
    if not cap.applied:
        remedy = "set the cap (cluster.power_cap_mode), or plan with what is enforced"
        return [CheckResult("power cap", "warn", seen, remedy)]
    return [CheckResult("power cap", "pass", seen)]
