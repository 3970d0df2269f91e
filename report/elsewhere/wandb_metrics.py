"""System metrics of Weights & Biases: `run.history(stream="events")` as CSV."""

from __future__ import annotations

import re
from datetime import tzinfo
from pathlib import Path

from ...spec.foreign_csv import Line, read_lines
from .power_series import Sample
from .series_usage import series_usage
from .usage import Usage

_POWER = re.compile(r"system\.gpu\.(\d+)\.powerWatts")  # `system.gpu.process.0...` repeats them for the own process


def is_wandb(first_line: str) -> bool:
    """Whether a file begins as such an export does."""
    return "_timestamp" in first_line and "system.gpu." in first_line


def read_wandb(text: str, path: Path, zone: tzinfo) -> list[Usage]:  # noqa: ARG001 - every reader takes a zone
    """One usage: all GPUs of the run's node. Raises InputError."""
    lines = read_lines(text, path)
    columns = {heading: match for heading in lines[0].fields if (match := _POWER.fullmatch(heading))} if lines else {}
    if not columns:
        raise Line(path, 1, {}).wrong("there is no column system.gpu.N.powerWatts with a sample")
    series: dict[str, list[Sample]] = {}
    for line in lines:
        moment = line.number_of("_timestamp")
        if moment is None:
            raise line.wrong("a sample without _timestamp")
        for heading, match in columns.items():
            series.setdefault(f"{path}: GPU {match.group(1)}", []).append((moment, line.number_of(heading)))
    known = {name: _known(samples) for name, samples in series.items()}
    return [series_usage(path, known, "W&B system metrics: power of each GPU, sampled; one node", "")]


def _known(samples: list[Sample]) -> list[Sample]:
    """W&B writes metrics in rows of their own: rows without this one say nothing about it."""
    return [(moment, watts) for moment, watts in samples if watts is not None]
