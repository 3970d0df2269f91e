"""Slurm's accounting: `sacct -P -o JobID,JobName,User,State,Start,End,ElapsedRaw,AllocTRES,ConsumedEnergyRaw`.

`ConsumedEnergy` is what the nodes' plugin (IPMI, RAPL, HPE) read: whole nodes with their GPUs, or with RAPL the
processors alone, as the site has set it. Steps of a job at one time read the same nodes: the largest of them counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

from ...spec.foreign_csv import Line, read_lines
from ...spec.units import HOUR, JOULES_PER_KWH
from .usage import Usage

_GPUS = re.compile(r"(?:^|,)gres/gpu=(\d+)")
_MODEL = re.compile(r"(?:^|,)gres/gpu:([^=,]+)=")
_SCALES = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}
_ENERGY = re.compile(r"(\d+(?:\.\d+)?)([KMG]?)")
_ELAPSED = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)")


def is_sacct(first_line: str) -> bool:
    """Whether a file begins as sacct's does with -P."""
    return "|" in first_line and "JobID" in first_line.split("|")


def read_sacct(text: str, path: Path, zone: tzinfo) -> list[Usage]:
    """One usage a job, whatever its state: what failed was used as well. Raises InputError."""
    jobs: dict[str, list[Line]] = {}
    for line in read_lines(text, path, "|"):
        jobs.setdefault(line.text("JobID").partition(".")[0], []).append(line)
    return [_job(name, lines, zone) for name, lines in jobs.items()]


def _job(name: str, lines: Sequence[Line], zone: tzinfo) -> Usage:
    whole = next((line for line in lines if "." not in line.text("JobID")), lines[0])
    steps = [line for line in lines if "." in line.text("JobID")]
    tres = whole.text("AllocTRES")
    gpus = int(found.group(1)) if (found := _GPUS.search(tres)) else 0
    seconds, joules = _seconds(whole), _energy(steps or [whole], zone)
    if joules is None and steps:
        joules = _joules(whole)
    return Usage(
        name=f"{whole.text('JobName') or 'job'} {name}".strip(),
        place=f"{whole.path}:{whole.number}",
        method="Slurm: energy of the job's nodes" if joules else "Slurm: GPU hours of the allocation",
        basis="measured" if joules else "unknown",
        device=found.group(1) if (found := _MODEL.search(tres)) else "GPU" if gpus else "no GPU",
        devices=gpus or None,
        device_hours=None if seconds is None or not gpus else seconds * gpus / HOUR,
        energy_kwh=joules / JOULES_PER_KWH if joules else None,
        coverage=1.0 if joules else 0.0,
        begin=whole.moment("Start", zone),
        end=whole.moment("End", zone),
    )


def _seconds(line: Line) -> float | None:
    if line.text("ElapsedRaw"):
        return line.number_of("ElapsedRaw")
    match = _ELAPSED.fullmatch(line.text("Elapsed"))
    if not match:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _joules(line: Line) -> float | None:
    """Joules of a line; zero is what Slurm writes where no plugin reads any."""
    if line.text("ConsumedEnergyRaw"):
        return line.number_of("ConsumedEnergyRaw") or None
    word = line.text("ConsumedEnergy")
    if not word:
        return None
    match = _ENERGY.fullmatch(word)
    if not match:
        raise line.wrong(f"ConsumedEnergy is {word[:40]!r}, which is no energy of sacct")
    return float(match.group(1)) * _SCALES[match.group(2)] or None


def _energy(steps: Sequence[Line], zone: tzinfo) -> float | None:
    """Joules of steps: of those at one time the largest, since each reads whole nodes."""
    known = [(step.moment("Start", zone) or 0.0, step.moment("End", zone), _joules(step)) for step in steps]
    used = sorted((begin, end or begin, joules) for begin, end, joules in known if joules is not None)
    total, group_end, largest = 0.0, float("-inf"), 0.0
    for begin, end, joules in used:
        if begin < group_end:
            largest, group_end = max(largest, joules), max(group_end, end)
        else:
            total, group_end, largest = total + largest, end, joules
    return total + largest or None
