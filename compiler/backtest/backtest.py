"""Predict runs that really happened from their own description, and say how far off the prediction is.

In: a file of published runs (YAML, rows of `PublishedRun`) or of vTrain measurements (CSV).
Out: a `Backtest`. Nothing that a row measured is read before its prediction is made. Raises InputError when the file
is malformed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from ...report.tables.estimate import layout_text
from ...spec.facts import figures
from ...spec.problem import InputError, Place, Problem
from ...spec.units import GIB, HOUR
from ..cost.case import StepCase
from ..cost.goodput import Allocation, goodput
from ..cost.memory import memory_bytes
from ..cost.power import average_watts, load, operating_point
from ..cost.spread import spread
from ..cost.step import step
from .own_runs import own_attempts
from .published_run import PublishedRun, UnusableRow
from .read_runs import read_runs, read_text
from .run_case import case, device
from .run_fit import LAYOUT
from .run_layout import says
from .run_software import date
from .vtrain_csv import Measured, measured, numbers

BILLION = 1e9
KINDS = ("throughput", "memory", "power_cap", "power", "gpu_hours", "iteration_time")
NO_RUN = {
    "kernel_ceiling": "a kernel ceiling is an input of the model, not a run",
    "interconnect_comparison": "compares two clusters, see `trainwright scaling`; the row describes no single run",
}
OUTSIDE = ("context", "fragmentation")  # of what the allocator hands out
LOADS = {"finetune": "finetuning", "inference": "inference", "inf": "inference"}


@dataclass(frozen=True, slots=True)
class Prediction:
    """One figure of one run, with the half-width of its range as a factor. `error` is predicted / actual - 1."""

    id: str
    kind: str
    predicted: float
    actual: float
    spread: float
    assumed: str = ""  # devices and layout, where the row leaves them open

    @property
    def error(self) -> float:
        """Relative error."""
        return self.predicted / self.actual - 1

    @property
    def low(self) -> float:
        """The range's lower end."""
        return self.predicted / (1 + self.spread)

    @property
    def high(self) -> float:
        """The range's upper end."""
        return self.predicted * (1 + self.spread)

    @property
    def inside(self) -> bool:
        """Whether the measured figure lies in the range."""
        return self.low <= self.actual <= self.high


@dataclass(frozen=True, slots=True)
class Summary:
    """Absolute relative errors of one kind, the mean signed one, and the share of figures inside their range."""

    n: int
    median: float
    mean: float
    p90: float
    bias: float
    inside: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """Every prediction, and the rows that could not be predicted with the reason."""

    rows: tuple[Prediction, ...]
    skipped: tuple[tuple[str, str], ...]

    def summary(self) -> dict[str, Summary]:
        """Errors by kind, kinds without rows left out."""
        found = {kind: [row for row in self.rows if row.kind == kind] for kind in KINDS}
        return {kind: summarised(rows) for kind, rows in found.items() if rows}

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "summary": {kind: asdict(summary) for kind, summary in self.summary().items()},
            "rows": [asdict(row) | {"error": row.error, "low": row.low, "high": row.high} for row in self.rows],
            "skipped": [{"id": name, "reason": reason} for name, reason in self.skipped],
        }


def summarised(rows: Sequence[Prediction]) -> Summary:
    """Count, median, mean and 90th percentile of the absolute errors, the bias, and the share inside the ranges."""
    size = sorted(abs(row.error) for row in rows)
    ninety = size[math.ceil(0.9 * len(size)) - 1]
    bias, inside = fmean(row.error for row in rows), fmean(row.inside for row in rows)
    return Summary(len(size), median(size), fmean(size), ninety, bias, inside)


def backtest(*paths: Path) -> Backtest:
    """Predict every run of files and run folders."""
    found = [_own(path) if path.is_dir() else _of_file(path) for path in paths]
    return Backtest(tuple(row for one in found for row in one.rows), tuple(row for one in found for row in one.skipped))


def _own(folder: Path) -> Backtest:
    """A run folder: the step time and draw of each attempt, with the calibration that its spec names."""
    rows: list[Prediction] = []
    skipped: list[tuple[str, str]] = []
    for own in own_attempts(folder, skipped):
        asked = own.calibrated
        seconds = step(asked).seconds
        rows.append(Prediction(own.id, "iteration_time", seconds, own.seconds, spread(asked, "step")))
        limit = operating_point(asked.hardware.gpu, asked.hardware.power_cap)
        if own.watts and limit:
            watts = average_watts(asked.hardware.gpu, limit, *load(asked, seconds))
            rows.append(Prediction(own.id, "power", watts, own.watts, figures("power")["spread"]))
    if not rows:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped)
        raise InputError.one("TW856", f"no attempt of {folder} can be used", reasons)
    return Backtest(tuple(rows), tuple(skipped))


def _of_file(path: Path) -> Backtest:
    text = read_text(path)
    if path.suffix.lower() == ".csv":
        return Backtest(tuple(_timed(run) for run in measured(_lines(path, text))), ())
    rows: list[Prediction] = []
    skipped: list[tuple[str, str]] = []
    for row in read_runs(path, text):
        try:
            found = [_finite(prediction) for prediction in predictions(row)]
        except UnusableRow as reason:
            skipped.append((row.id, str(reason)))
            continue
        rows += found
        if not found:
            skipped.append((row.id, NO_RUN.get(row.kind or "", "the row measured nothing that is predicted")))
    return Backtest(tuple(rows), tuple(skipped))


def _finite(prediction: Prediction) -> Prediction:
    if not 0 < prediction.predicted < float("inf"):
        raise UnusableRow(f"its description gives a {prediction.kind} of {prediction.predicted:g}")
    return prediction


def _timed(run: Measured) -> Prediction:
    return Prediction(run.id, "iteration_time", step(run.case).seconds, run.seconds, spread(run.case, "step"))


def predictions(row: PublishedRun) -> Iterator[Prediction]:
    """Every figure of a row that the model predicts. Raises Skipped when the row says too little."""
    if row.kind in NO_RUN:
        return
    if row.kind == "power_cap_point":
        yield from _power_cap(row)
        return
    if row.kind == "power_measurement" and row.layers is None:
        raise UnusableRow("a measured draw without the model's shape")
    asked, when = case(row), date(row)
    taken = _assumed(row, asked)
    if row.speed:
        wide = spread(asked, "hours" if row.kind == "pretraining_run" else "step", when)
        yield Prediction(row.id, "throughput", _speed(row, asked), row.speed, wide, taken)
    if row.mem_per_gpu_gib:
        held = _memory(row, asked) / GIB
        yield Prediction(row.id, "memory", held, row.mem_per_gpu_gib, spread(asked, "memory", when), taken)
    if row.gpu_hours and row.tokens_trained_b:
        hours = row.tokens_trained_b * BILLION / _speed(row, asked) / HOUR
        yield Prediction(row.id, "gpu_hours", hours, row.gpu_hours, spread(asked, "hours", when), taken)


def _assumed(row: PublishedRun, asked: StepCase) -> str:
    """Devices and layout that the row leaves open, as they were taken: `estimate` of the same answers the same."""
    parts = [] if row.gpus else [f"{asked.layout.gpus:,} devices"]
    parts += [] if any(getattr(row, key) for key in LAYOUT) else [layout_text(asked.layout.model_dump())]
    return ", ".join(parts)


def _memory(row: PublishedRun, asked: StepCase) -> float:
    """Peak bytes of what the row counts: all of the process, or what was allocated; never more than the device has."""
    parts = memory_bytes(asked)
    if says(row.mem_note, "allocated"):
        parts = {name: size for name, size in parts.items() if name not in OUTSIDE}
    return min(sum(parts.values()), asked.hardware.gpu.memory_bytes or float("inf"))


def _speed(row: PublishedRun, asked: StepCase) -> float:
    """Tokens per second and device; of a whole run, over all its hours."""
    tokens_per_second = asked.workload.tokens / step(asked).seconds / asked.layout.gpus
    if row.kind != "pretraining_run":
        return tokens_per_second
    saved = asked.workload.shape.checkpoint_bytes(asked.workload.precision)
    whole = Allocation(asked.layout.gpus, asked.hardware.per_node, saved)
    return tokens_per_second * goodput(whole, None).value


def _power_cap(row: PublishedRun) -> Iterator[Prediction]:
    cap, throughput = row.known("power_cap"), row.known("rel_throughput")
    model = (row.model or "").lower()
    load = next((kind for word, kind in LOADS.items() if word in model), "pretraining")
    limited = operating_point(device(row), cap, load)
    if limited is None:
        raise UnusableRow("the power of this device is unknown")
    yield Prediction(row.id, "power_cap", limited.speed, throughput, figures("power")["speed_spread"])
    if row.power_basis == "measured_avg" and row.power_per_gpu_w:
        yield Prediction(row.id, "power", limited.watts, row.power_per_gpu_w, figures("power")["spread"])


def _lines(path: Path, text: str) -> list[tuple[int, list[float]]]:
    found: list[tuple[int, list[float]]] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = numbers(line)
        except ValueError as error:
            place = Place(str(path), number, 1)
            problems.append(Problem("TW853", "error", str(error), "columns are those of vTrain's CSV files", "", place))
            continue
        if values is not None:
            found.append((number, values))
    if problems:
        raise InputError(problems)
    if not found:
        raise InputError.one("TW853", f"{path} holds no measurement", "columns are those of vTrain's CSV files")
    return found
