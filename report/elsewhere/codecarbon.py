"""CodeCarbon's emissions.csv: energies in kWh with the PUE in them, one row a run, or one a flush of a run."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

from ...spec.foreign_csv import Line, read_lines
from ...spec.units import HOUR
from .usage import Usage


def is_codecarbon(first_line: str) -> bool:
    """Whether a file begins as CodeCarbon's does."""
    return "energy_consumed" in first_line and "emissions_rate" in first_line


def read_codecarbon(text: str, path: Path, zone: tzinfo) -> list[Usage]:
    """One usage a run: of rows with one run_id the last, since each has all before it. Raises InputError."""
    newest: dict[str, tuple[float, Line]] = {}
    for line in read_lines(text, path):
        run = line.text("run_id") or f"line {line.number}"
        seconds = line.number_of("duration") or 0.0
        if run not in newest or seconds >= newest[run][0]:
            newest[run] = seconds, line
    return [_usage(run, line, zone) for run, (_, line) in newest.items()]


def _usage(run: str, line: Line, zone: tzinfo) -> Usage:
    pue, project = line.number_of("pue") or 1.0, line.text("project_name")
    gpu, cpu, ram = (_without(line.number_of(f"{part}_energy"), pue) for part in ("gpu", "cpu", "ram"))
    end, seconds = line.moment("timestamp", zone), line.number_of("duration")
    devices = int(line.number_of("gpu_count") or 0)
    on_cpu = not devices
    emitted, consumed = line.number_of("emissions"), line.number_of("energy_consumed")
    host = None if (cpu is None and ram is None) or on_cpu else (cpu or 0.0) + (ram or 0.0)
    return Usage(
        name=run if project == "codecarbon" or run.startswith(project) else f"{project} {run}",
        place=f"{line.path}:{line.number}",
        method="CodeCarbon: " + ("CPU and RAM" if on_cpu else "GPU readings; CPU and RAM as hosts"),
        basis="estimated" if on_cpu else "measured",
        device=line.text("cpu_model" if on_cpu else "gpu_model") or "unknown",
        devices=1 if on_cpu else devices,
        device_hours=None if seconds is None else seconds / HOUR * (devices or 1),
        energy_kwh=_sum(cpu, ram) if on_cpu else gpu,
        host_kwh=host,
        coverage=0.0 if on_cpu else 1.0,
        begin=None if end is None or seconds is None else end - seconds,
        end=end,
        pue=pue,
        intensity=emitted / consumed if emitted is not None and consumed else None,
        intensity_source=f"CodeCarbon for {line.text('region') or line.text('country_name') or 'an unnamed place'}",
    )


def _without(kwh: float | None, pue: float) -> float | None:
    return None if kwh is None else kwh / pue


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
