"""Hours by hand: a CSV file with `name,gpu_hours,watts` and, where known, `device,devices,begin,end,energy_kwh`."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

from ...spec.emissions import energy_kwh
from ...spec.foreign_csv import Line, read_lines
from .usage import Usage


def is_by_hand(first_line: str) -> bool:
    """Whether a file has these headings."""
    return {"name", "gpu_hours"} <= {word.strip() for word in first_line.split(",")}


def read_by_hand(text: str, path: Path, zone: tzinfo) -> list[Usage]:
    """One usage a row. Raises InputError."""
    return [_usage(line, zone) for line in read_lines(text, path)]


def _usage(line: Line, zone: tzinfo) -> Usage:
    hours, watts, given = line.number_of("gpu_hours"), line.number_of("watts"), line.number_of("energy_kwh")
    if not line.text("name") or hours is None:
        raise line.wrong("a row needs a name and gpu_hours")
    used = given if given is not None else None if watts is None else energy_kwh(hours, watts)
    return Usage(
        name=line.text("name"),
        place=f"{line.path}:{line.number}",
        method="by hand: " + ("energy as given" if given is not None else "hours x watts" if watts else "hours"),
        basis="unknown" if used is None else "estimated",
        device=line.text("device") or "unknown",
        devices=int(line.number_of("devices") or 0) or None,
        device_hours=hours,
        energy_kwh=used,
        coverage=0.0,
        begin=line.moment("begin", zone),
        end=line.moment("end", zone),
    )
