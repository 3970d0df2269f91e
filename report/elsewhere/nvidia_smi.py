"""Logs of `nvidia-smi --query-gpu=timestamp,uuid,power.draw --format=csv -l 1`, with or without units."""

from __future__ import annotations

import re
from datetime import tzinfo
from pathlib import Path

from ...spec.foreign_csv import Line, read_lines
from ...spec.problem import InputError
from .power_series import Sample
from .series_usage import series_usage
from .usage import Usage

NAMES = ("uuid", "gpu_uuid", "gpu_bus_id", "pci.bus_id", "index")  # of a GPU, the surest first
_POWER = re.compile(r"power\.draw(\.average|\.instant)?( \[(\w+)\])?")


def is_nvidia_smi(first_line: str) -> bool:
    """Whether a file begins as such a log does."""
    return "timestamp" in first_line and "power.draw" in first_line


def read_nvidia_smi(text: str, path: Path, zone: tzinfo) -> list[Usage]:
    """One usage: all GPUs of the log. Raises InputError."""
    lines = read_lines(text, path)
    if not lines:
        raise InputError.one("TW891", f"{path} has no samples", "Log for some minutes with `-l 1`.")
    key, unit = _power_column(lines[0])
    name = next((heading for heading in NAMES if heading in lines[0].fields), "")
    series: dict[str, list[Sample]] = {}
    for line in lines:
        moment = line.moment("timestamp", zone)
        if moment is None:
            raise line.wrong("a sample without a time")
        device = line.text(name) or "the only GPU"
        series.setdefault(device if device.startswith("GPU-") else f"{path}: {device}", []).append(
            (moment, line.number_of(key, unit))
        )
    model = ", ".join(dict.fromkeys(line.text("name") for line in lines if line.text("name")))
    return [series_usage(path, series, "nvidia-smi: power of each GPU, sampled", model)]


def _power_column(line: Line) -> tuple[str, str]:
    """The column of the power and its unit. Raises InputError for another unit than watts."""
    for heading in line.fields:
        match = _POWER.fullmatch(heading)
        if match:
            if match.group(3) not in (None, "W"):
                raise line.wrong(f"{heading}: only watts are read")
            return heading, "W"
    raise line.wrong("there is no column power.draw")
