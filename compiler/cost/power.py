"""Watts and speed under a power cap: measured curves by device family, and how busy the device is."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from dataclasses import dataclass

from ...spec.facts import figures
from ...spec.hardware import Gpu
from .case import StepCase
from .compute import layer_time, sustained


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A device under a cap: throughput against its highest cap, and draw at full load, in watts."""

    speed: float
    watts: float


def _slopes(x: list[float], y: list[float]) -> list[float]:
    """Slopes of a monotone cubic through the points (Fritsch and Carlson 1980, harmonic means)."""
    steps = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(len(x) - 1)]
    inner = [
        0.0 if before * after <= 0 else 2 * before * after / (before + after)
        for before, after in itertools.pairwise(steps)
    ]
    return [steps[0], *inner, steps[-1]]


def _curve(x: list[float], y: list[float], at: float) -> float:
    """The monotone cubic at `at`; straight lines beyond the ends."""
    slopes = _slopes(x, y)
    if at <= x[0]:
        return max(0.0, y[0] - slopes[0] * (x[0] - at))
    if at >= x[-1]:
        return y[-1]
    i = bisect_right(x, at) - 1
    width = x[i + 1] - x[i]
    t = (at - x[i]) / width
    return (
        (2 * t**3 - 3 * t**2 + 1) * y[i]
        + (t**3 - 2 * t**2 + t) * width * slopes[i]
        + (3 * t**2 - 2 * t**3) * y[i + 1]
        + (t**3 - t**2) * width * slopes[i + 1]
    )


def operating_point(gpu: Gpu, cap: float | None, load: str = "pretraining") -> OperatingPoint | None:
    """Speed and full-load draw of `gpu` under `cap` (None: its default); None where its power is unknown (CPU)."""
    if gpu.power is None:
        return None
    table = figures("power")
    curves = table["curves"].get(gpu.family) or table["curves"][table["default"]]
    points = (curves.get(load) or curves["pretraining"])["points"]
    caps, speeds, draws = ([float(point[i]) for point in points] for i in range(3))
    scale = gpu.power.highest / caps[-1]
    asked = min(cap or gpu.power.default, gpu.power.highest) / scale
    return OperatingPoint(_curve(caps, speeds, asked), _curve(caps, draws, asked) * scale)


def borrowed(gpu: Gpu) -> bool:
    """Whether no curve of a capped device of this family is published, so that another family's stands for it."""
    return gpu.power is not None and gpu.family not in figures("power")["curves"]


def average_watts(gpu: Gpu, full: OperatingPoint, matrix: float, traffic: float) -> float:
    """Average draw of a device that reaches `full` watts at full load.

    `matrix`: matrix arithmetic against what training sustains under the cap; `traffic`: share of the memory's rate.
    """
    if gpu.power is None:
        raise ValueError(gpu.name)
    share = figures("power")["draw"]
    busy = min(1.0, share["base"] + share["traffic"] * traffic + share["matrix"] * matrix)
    return gpu.power.idle + (full.watts - gpu.power.idle) * busy


def load(case: StepCase, seconds: float) -> tuple[float, float]:
    """How hard a step of `seconds` works a device: (`matrix`, `traffic`) as `average_watts` takes them."""
    layout, gpu, shape = case.layout, case.hardware.gpu, case.workload.shape
    flops = case.workload.tokens * shape.training_flops(case.workload.sequence, causal=True) / layout.gpus
    again = {"none": 1.0, "selective": 1 + case.profile.selective.matmul / 3, "full": 4 / 3}[
        layout.activation_checkpointing
    ]
    rate = gpu.flops[case.workload.precision] * gpu.kernel * sustained(gpu.family, case.workload.precision) * case.speed
    time = layer_time(case)
    layers = layout.accumulation * shape.layers / layout.pipeline
    streams = min(1.0, layers * (time.forward.elementwise + time.backward.elementwise) / case.speed / seconds)
    share = figures("power")["busy_memory"]
    return flops * again / seconds / rate, share["streams"] * streams + share["products"] * (1 - streams)
