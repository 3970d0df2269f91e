"""Power or energy of several devices over time, as one `Usage`: what nvidia-smi, DCGM and W&B readers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...spec.facts import figures
from ...spec.problem import InputError, Place
from ...spec.units import HOUR
from .power_series import Metered, Sample, SeriesError, metered
from .usage import DeviceSpan, Usage

WHOLE: float = figures("reporting")["fully_measured"]


def series_usage(
    path: Path, series: Mapping[str, Sequence[Sample]], method: str, device: str, *, counter: bool = False
) -> Usage:
    """The usage of all devices of a file. Raises InputError (TW892) where samples contradict each other."""
    found = {name: _metered(path, name, samples, counter=counter) for name, samples in series.items()}
    spans = tuple(DeviceSpan(name, one.begin, one.end) for name, one in found.items())
    held = sum(one.end - one.begin for one in found.values())
    share = sum(one.covered for one in found.values()) / held if held else 0.0
    return Usage(
        name=path.stem,
        place=str(path),
        method=method,
        basis="measured" if share >= WHOLE else "partly measured",
        device=device or "unknown",
        devices=len(found),
        device_hours=held / HOUR,
        energy_kwh=sum(one.kwh for one in found.values()) if share else None,
        coverage=share,
        begin=min(span.begin for span in spans),
        end=max(span.end for span in spans),
        spans=spans,
    )


def _metered(path: Path, name: str, samples: Sequence[Sample], *, counter: bool) -> Metered:
    try:
        return metered(samples, counter=counter)
    except SeriesError as error:
        remedy = "Sort the file by time, and cut it where a clock was set."
        raise InputError.one("TW892", f"{name}: {error}", remedy, place=Place(str(path), 1, 1)) from error
