"""Zeus: the log of a ZeusMonitor (CSV, joules a window and GPU), or its Measurement values as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from ...spec.foreign_csv import Line, read_lines
from ...spec.problem import InputError, Place
from ...spec.units import HOUR, JOULES_PER_KWH
from .usage import DeviceSpan, Usage

_GPU = re.compile(r"gpu(\d+)_energy")
METHOD = "Zeus: energy counter of each GPU, a window"


class _Measurement(BaseModel):
    time: float = Field(ge=0, allow_inf_nan=False)
    gpu_energy: dict[str, float]
    cpu_energy: dict[str, float] | None = None
    dram_energy: dict[str, float] | None = None
    window_name: str = ""
    start_time: float | None = None


def is_zeus(first_line: str) -> bool:
    """Whether a file begins as the log of a ZeusMonitor."""
    return first_line.startswith("start_time,window_name,elapsed_time")


def is_zeus_json(value: Any) -> bool:
    """Whether a JSON value is a Measurement of Zeus, or a list of them."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and "gpu_energy" in first


def read_zeus(text: str, path: Path, zone: tzinfo) -> list[Usage]:  # noqa: ARG001 - every reader takes a zone
    """One usage a window; windows lie within each other, which `settle` sees by their spans. Raises InputError."""
    return [_window(line, path) for line in read_lines(text, path)]


def _window(line: Line, path: Path) -> Usage:
    begin, seconds = line.number_of("start_time"), line.number_of("elapsed_time")
    if begin is None or seconds is None:
        raise line.wrong("a window without start_time or elapsed_time")
    gpus = {m.group(1): line.number_of(key) for key in line.fields if (m := _GPU.fullmatch(key))}
    return _usage(path, _Window(str(line.number), begin, seconds, gpus))


def read_zeus_json(value: Any, path: Path, zone: tzinfo) -> list[Usage]:  # noqa: ARG001 - every reader takes a zone
    """One usage a Measurement; those of one file without a start_time count as one after the other."""
    found: list[Usage] = []
    clock = 0.0
    for index, item in enumerate(value if isinstance(value, list) else [value], 1):
        try:
            one = _Measurement.model_validate(item)
        except ValidationError as error:
            fault = error.errors()[0]
            message = f"measurement {index}, {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            raise InputError.one("TW891", message, "Dump it as Zeus gives it.", place=Place(str(path), 1, 1)) from error
        begin = clock if one.start_time is None else one.start_time
        clock = begin + one.time
        host = (*(one.cpu_energy or {}).values(), *(one.dram_energy or {}).values())
        window = _Window(str(index), begin, one.time, dict(one.gpu_energy), host, one.start_time is not None)
        found.append(_usage(path, window))
    return found


@dataclass(frozen=True, slots=True)
class _Window:
    """Joules a GPU over seconds; `dated`: whether `begin` is Unix time."""

    place: str
    begin: float
    seconds: float
    gpus: Mapping[str, float | None]
    host: tuple[float, ...] = ()
    dated: bool = True


def _usage(path: Path, window: _Window) -> Usage:
    known = [joules for joules in window.gpus.values() if joules is not None]
    whole = bool(known) and len(known) == len(window.gpus)
    end = window.begin + window.seconds
    return Usage(
        name=path.stem,
        place=f"{path}:{window.place}",
        method=METHOD,
        basis="measured" if whole else "unknown",
        devices=len(window.gpus),
        device_hours=len(window.gpus) * window.seconds / HOUR,
        energy_kwh=sum(known) / JOULES_PER_KWH if whole else None,
        host_kwh=sum(window.host) / JOULES_PER_KWH if window.host else None,
        coverage=1.0,
        begin=window.begin if window.dated else None,
        end=end if window.dated else None,
        spans=tuple(DeviceSpan(f"{path}: GPU {gpu}", window.begin, end) for gpu in window.gpus),
    )
