"""Settled usages and factors in, their emissions out: a row a job, and what nobody knows as unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...spec.emissions import carbon_tonnes, energy_kwh
from ..values import Run
from .usage import Usage

ASSUMED = "; energy = hours x assumed power"


@dataclass(frozen=True, slots=True)
class Factors:
    """What energy is multiplied with where a source has no factors of its own; None is unknown."""

    pue: float | None = None
    intensity: float | None = None
    source: str = ""
    watts: float | None = None  # of a device whose energy nobody read


@dataclass(frozen=True, slots=True)
class Accounted:
    """A usage with its factors; tonnes of devices and cooling, and with hosts where somebody metered them."""

    usage: Usage
    carbon_tonnes: float | None
    counted_tonnes: float | None


def with_factors(usage: Usage, given: Factors) -> Usage:
    """The usage with the given factors where its source has none."""
    used = usage.energy_kwh
    if used is None and given.watts is not None and usage.device_hours is not None:
        usage = replace(
            usage,
            energy_kwh=energy_kwh(usage.device_hours, given.watts),
            basis="estimated",
            method=usage.method + ASSUMED,
        )
    own = usage.intensity is not None
    return replace(
        usage,
        pue=usage.pue if usage.pue is not None else given.pue,
        intensity=usage.intensity if own else given.intensity,
        intensity_source=usage.intensity_source if own else given.source,
    )


def accounted(usages: Sequence[Usage], given: Factors) -> list[Accounted]:
    """Each usage with its carbon."""
    found = [with_factors(usage, given) for usage in usages]
    return [Accounted(one, _tonnes(one, one.energy_kwh), _counted(one)) for one in found]


def _counted(usage: Usage) -> float | None:
    return _tonnes(usage, _all(usage)) if usage.counted_tonnes is None else usage.counted_tonnes


def _all(usage: Usage) -> float | None:
    return None if usage.energy_kwh is None else usage.energy_kwh + (usage.host_kwh or 0.0)


def _tonnes(usage: Usage, kwh: float | None) -> float | None:
    if kwh is None or usage.pue is None or usage.intensity is None:
        return None
    return carbon_tonnes(kwh, usage.pue, usage.intensity)


def usage_of_run(run: Run) -> Usage:
    """One of our own runs, to stand in the same table."""
    seconds = sum(attempt.seconds for attempt in run.attempts)
    meters = ", ".join(dict.fromkeys(attempt.meter for attempt in run.attempts)) or "none"
    return Usage(
        name=run.label,
        place=run.folder,
        method=f"Trainwright: {meters}",
        basis=run.actual.basis,
        device=run.device,
        devices=run.devices,
        device_hours=run.actual.device_hours,
        energy_kwh=run.actual.energy_kwh,
        coverage=run.measured_share,
        begin=None if run.ended is None else run.ended - seconds,
        end=run.ended,
        pue=run.carbon.pue if run.carbon else None,
        intensity=run.carbon.intensity_kg_per_kwh if run.carbon else None,
        intensity_source=run.carbon.intensity_source if run.carbon else "",
        counted_tonnes=run.actual.counted_tonnes,
    )
