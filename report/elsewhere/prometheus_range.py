"""A Prometheus range query of DCGM's metrics, as JSON: `/api/v1/query_range?query=DCGM_FI_DEV_POWER_USAGE...`."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ...spec.problem import InputError, Place
from .power_series import Sample
from .series_usage import series_usage
from .usage import Usage

POWER, ENERGY = "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
MILLIJOULES = 1e-3


class _Series(BaseModel):
    metric: dict[str, str]
    values: list[tuple[float, float]]


class _Data(BaseModel):
    resultType: str  # noqa: N815 - Prometheus' own key
    result: list[_Series]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=True)
    status: str
    data: _Data


def is_prometheus(value: Any) -> bool:
    """Whether a JSON value is an answer of Prometheus."""
    return isinstance(value, dict) and "data" in value and "status" in value


def read_prometheus(value: Any, path: Path, zone: tzinfo) -> list[Usage]:  # noqa: ARG001 - every reader takes a zone
    """One usage a metric: power is integrated, the energy counter subtracted. Raises InputError (TW891)."""
    try:
        answer = _Answer.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise _refused(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if answer.status != "success" or answer.data.resultType != "matrix":
        raise _refused(path, f"a range query has the result type matrix, this is {answer.data.resultType!r}")
    found: list[Usage] = []
    for name, factor, counter in ((POWER, 1.0, False), (ENERGY, MILLIJOULES, True)):
        chosen = [series for series in answer.data.result if series.metric.get("__name__") == name]
        if chosen:
            method = f"DCGM by Prometheus: {'energy counter' if counter else 'power, sampled'} of each GPU"
            models = ", ".join(dict.fromkeys(series.metric.get("modelName", "") for series in chosen))
            found.append(series_usage(path, _by_device(chosen, factor, path), method, models, counter=counter))
    if not found:
        raise _refused(path, f"no series of {POWER} or {ENERGY}")
    return found


def _by_device(series: list[_Series], factor: float, path: Path) -> dict[str, list[Sample]]:
    """Samples by UUID. Of one GPU that an exporter lists more than once (a pod's label changed) all are one series."""
    found: dict[str, list[Sample]] = {}
    for one in series:
        device = one.metric.get("UUID") or f"{path}: {one.metric.get('Hostname', '')} GPU {one.metric.get('gpu', '?')}"
        samples = [(moment, value * factor if value == value else None) for moment, value in one.values]  # noqa: PLR0124 - NaN
        found.setdefault(device, []).extend(samples)
    return {device: sorted(samples, key=lambda sample: sample[0]) for device, samples in found.items()}


def _refused(path: Path, message: str) -> InputError:
    return InputError.one(
        "TW891", message, "Save the answer of a range query as it comes.", place=Place(str(path), 1, 1)
    )
