"""Predict runs that really happened from their own description, and say how far off the prediction is.

In: a file of published runs (YAML, the format of `tests/data/published_runs.yaml`) or of vTrain measurements (CSV).
Out: a `Backtest`. Nothing that a row measured is read before its prediction is made. Raises InputError when the file
is malformed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import yaml

from ...spec.problem import InputError, Place, Problem
from ..cost.case import Case
from ..cost.goodput import Allocation, goodput
from ..cost.memory import memory_bytes
from ..cost.power import capped
from ..cost.step import step
from .published_run import Row, Skipped, case, device, needed
from .run_layout import says
from .vtrain_csv import Measured, measured, numbers

GIB = 2**30
HOUR = 3600.0
BILLION = 1e9
LARGEST = 50_000_000  # bytes of a file of runs
KINDS = ("throughput", "memory", "power_cap", "power", "gpu_hours", "iteration_time")
NO_RUN = {
    "kernel_ceiling": "a kernel ceiling is an input of the model, not a run",
    "interconnect_comparison": "compares two clusters, see `trainwright scaling`; the row describes no single run",
}
LOADS = {"finetune": "finetuning", "inference": "inference", "inf": "inference"}
COUNTS = (
    "layers", "hidden", "ffn", "heads", "kv_heads", "vocab", "seq_len", "gbs_seqs", "gbs_tokens", "micro_batch", "gpus",
    "gpus_per_node", "dp", "tp", "pp", "vpp", "cp",
)  # fmt: skip
QUANTITIES = (
    "gpu_power_cap_w", "net_gbps_per_gpu", "gpu_mem_gb", "tokens_per_s_per_gpu", "calc_tokens_per_s_per_gpu",
    "mem_per_gpu_gib", "gpu_hours", "tokens_trained_b", "rel_throughput", "power_per_gpu_w",
)  # fmt: skip
OUTSIDE = ("context", "fragmentation")  # of what the allocator hands out
MOST = 10**12  # of anything that is counted


@dataclass(frozen=True, slots=True)
class Prediction:
    """One figure of one run. `error` is predicted / actual - 1."""

    id: str
    kind: str
    predicted: float
    actual: float

    @property
    def error(self) -> float:
        """Relative error."""
        return self.predicted / self.actual - 1


@dataclass(frozen=True, slots=True)
class Summary:
    """Absolute relative errors of one kind, and the mean signed one."""

    n: int
    median: float
    mean: float
    p90: float
    bias: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """Every prediction, and the rows that could not be predicted with the reason."""

    rows: tuple[Prediction, ...]
    skipped: tuple[tuple[str, str], ...]

    def summary(self) -> dict[str, Summary]:
        """Errors by kind, kinds without rows left out."""
        found = {kind: [row.error for row in self.rows if row.kind == kind] for kind in KINDS}
        return {kind: summarised(errors) for kind, errors in found.items() if errors}

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "summary": {kind: asdict(summary) for kind, summary in self.summary().items()},
            "rows": [asdict(row) | {"error": row.error} for row in self.rows],
            "skipped": [{"id": name, "reason": reason} for name, reason in self.skipped],
        }


def summarised(errors: list[float]) -> Summary:
    """Count, median, mean and 90th percentile of the absolute errors, and the bias."""
    size = sorted(abs(error) for error in errors)
    ninety = size[math.ceil(0.9 * len(size)) - 1]
    return Summary(len(size), median(size), fmean(size), ninety, fmean(errors))


def backtest(path: Path) -> Backtest:
    """Predict every run of the file at `path`."""
    text = read_text(path)
    if path.suffix.lower() == ".csv":
        return Backtest(tuple(_timed(run) for run in measured(_lines(path, text))), ())
    rows: list[Prediction] = []
    skipped: list[tuple[str, str]] = []
    for row in read_runs(path, text):
        try:
            found = [_finite(prediction) for prediction in predictions(row)]
        except Skipped as reason:
            skipped.append((row["id"], str(reason)))
            continue
        rows += found
        if not found:
            skipped.append((row["id"], NO_RUN.get(str(row.get("kind")), "the row measured nothing that is predicted")))
    return Backtest(tuple(rows), tuple(skipped))


def _finite(prediction: Prediction) -> Prediction:
    if not 0 < prediction.predicted < float("inf"):
        raise Skipped(f"its description gives a {prediction.kind} of {prediction.predicted:g}")
    return prediction


def _timed(run: Measured) -> Prediction:
    return Prediction(run.id, "iteration_time", step(run.case).seconds, run.seconds)


def predictions(row: Row) -> Iterator[Prediction]:
    """Every figure of a row that the model predicts. Raises Skipped when the row says too little."""
    kind = str(row.get("kind"))
    if kind in NO_RUN:
        return
    if kind == "power_cap_point":
        yield from _power_cap(row)
        return
    if kind == "power_measurement" and row.get("layers") is None:
        raise Skipped("a measured draw without the model's shape")
    asked = case(row)
    speed = row.get("calc_tokens_per_s_per_gpu") or row.get("tokens_per_s_per_gpu")
    if speed:
        yield Prediction(row["id"], "throughput", _speed(row, asked), float(speed))
    if row.get("mem_per_gpu_gib"):
        yield Prediction(row["id"], "memory", _memory(row, asked) / GIB, float(row["mem_per_gpu_gib"]))
    if row.get("gpu_hours") and row.get("tokens_trained_b"):
        hours = float(row["tokens_trained_b"]) * BILLION / _speed(row, asked) / HOUR
        yield Prediction(row["id"], "gpu_hours", hours, float(row["gpu_hours"]))


def _memory(row: Row, asked: Case) -> float:
    """Peak bytes of what the row counts: all of the process, or what was allocated; never more than the device has."""
    parts = memory_bytes(asked)
    if says(row, "mem_note", "allocated"):
        parts = {name: size for name, size in parts.items() if name not in OUTSIDE}
    return min(sum(parts.values()), asked.machine.gpu.memory_bytes or float("inf"))


def _speed(row: Row, asked: Case) -> float:
    """Tokens per second and device; of a whole run, over all its hours."""
    pace = asked.work.tokens / step(asked).seconds / asked.layout.gpus
    if row.get("kind") != "pretraining_run":
        return pace
    whole = Allocation(asked.layout.gpus, asked.machine.per_node, asked.work.shape.parameters)
    return pace * goodput(whole, None).value


def _power_cap(row: Row) -> Iterator[Prediction]:
    needed(row, "gpu_power_cap_w", "rel_throughput")
    model = str(row.get("model", "")).lower()
    load = next((kind for word, kind in LOADS.items() if word in model), "pretraining")
    limited = capped(device(row), float(row["gpu_power_cap_w"]), load)
    if limited is None:
        raise Skipped("the power of this device is unknown")
    yield Prediction(row["id"], "power_cap", limited.speed, float(row["rel_throughput"]))
    if row.get("power_basis") == "measured_avg" and row.get("power_per_gpu_w"):
        yield Prediction(row["id"], "power", limited.watts, float(row["power_per_gpu_w"]))


def read_text(path: Path) -> str:
    """The text of a file of runs. Raises InputError when it cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError.one("TW851", f"{path} is larger than {LARGEST:,} bytes", "split the file")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError.one("TW852", f"{path} cannot be read: {error.strerror}", "name a file of runs") from error
    except UnicodeDecodeError as error:
        raise InputError.one("TW852", f"{path} is not UTF-8 text", "name a file of runs") from error


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


def read_runs(path: Path, text: str) -> list[dict[str, Any]]:
    """The rows of a YAML file of runs. Raises InputError with every problem."""
    try:
        rows = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError.one(
            "TW854", f"{path} is not YAML: {' '.join(str(error).split())[:200]}", "see docs/estimator.md"
        ) from error
    if not isinstance(rows, list) or not rows:
        raise InputError.one("TW854", f"{path} is not a list of runs", "see docs/estimator.md for the format")
    problems = [problem for number, row in enumerate(rows, 1) for problem in _wrong(number, row)]
    names = [row.get("id") for row in rows if isinstance(row, Mapping)]
    problems += [
        _problem(str(name), "is there more than once") for name in sorted({str(n) for n in names if names.count(n) > 1})
    ]
    if problems:
        raise InputError(problems)
    return rows


def _problem(name: str, message: str) -> Problem:
    return Problem("TW855", "error", f"run {name}: {message}", "see docs/estimator.md for the format")


def _wrong(number: int, row: object) -> Iterable[Problem]:
    if not isinstance(row, Mapping):
        yield _problem(f"number {number}", "is not a mapping")
        return
    if not isinstance(row.get("id"), str):
        yield _problem(f"number {number}", "has no id")
        return
    for key in (*COUNTS, *QUANTITIES):
        value = row.get(key)
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST
        if value is not None and not (number and (key in QUANTITIES or value == int(value))):
            what = "whole number from 1" if key in COUNTS else "positive number"
            yield _problem(row["id"], f"{key} is {value!r}, not a {what}")
    if row.get("zero_stage") not in (None, 0, 1, 2, 3):
        yield _problem(row["id"], f"zero_stage is {row['zero_stage']!r}, not 0, 1, 2 or 3")
