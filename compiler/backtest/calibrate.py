"""Fit the estimator's one honest knob, the efficiency of compute, to runs that a user made.

In: files of runs as `backtest` reads them, and run folders. Out: a `Calibration`: the factor at which each run's
prediction equals its measurement, their median, and the text of a file that a spec can name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ...spec.facts import figures
from ...spec.problem import InputError
from ..cost.case import StepCase
from ..cost.step import step
from .own_runs import own_attempts, scaled
from .published_run import PublishedRun, UnusableRow
from .read_runs import read_runs, read_text
from .run_case import case

LOW, HIGH = figures("accuracy")["factor_range"]
HALVINGS = 40
WRITTEN_BY = "# Written by `trainwright calibrate`"  # how a profile file begins


@dataclass(frozen=True, slots=True)
class Fit:
    """One run: the factor that makes the model reproduce it, and the profile that the factor applies to."""

    id: str
    profile: str
    factor: float
    error: float | None = None  # of the time a step, predicted with the factor of the other runs; None: there is none


@dataclass(frozen=True, slots=True)
class _Target:
    """A measured step time, and the case that it is of; attempts of one run folder are one run."""

    run: str
    id: str
    case: StepCase
    seconds: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted factors, and the runs that could not be used with the reason."""

    fits: tuple[Fit, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def factor(self) -> float:
        """The median over the runs."""
        return median(fit.factor for fit in self.fits)

    def text(self, source: str) -> str:
        """The profile file: a base for specs."""
        low, high = min(fit.factor for fit in self.fits), max(fit.factor for fit in self.fits)
        return (
            f"{WRITTEN_BY} from {source}: "
            f"{len(self.fits)} runs, factors {low:.3f} to {high:.3f}.\n"
            "# Name it in a spec: `extends: calibration.yaml`, or set cluster.efficiency.\n"
            f"cluster: {{efficiency: {self.factor:.4f}}}\n"
        )


def _solve(seconds: Callable[[float], float], wanted: float) -> float | None:
    """The factor at which a run takes `wanted` seconds, by bisection; None outside of the limits."""
    low, high = LOW, HIGH
    if not seconds(high) <= wanted <= seconds(low):
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if seconds(middle) > wanted else (low, middle)
    return (low + high) / 2


def _target(row: PublishedRun) -> _Target:
    asked = case(row)
    speed = row.speed or row.known("tokens_per_s_per_gpu")
    return _Target(row.id, row.id, asked, asked.workload.tokens / (speed * asked.layout.gpus))


def _factor(target: _Target) -> float:
    factor = _solve(lambda share: step(scaled(target.case, share)).seconds, target.seconds)
    if factor is None:
        raise UnusableRow(f"no efficiency between {LOW} and {HIGH} reproduces its speed")
    return factor


def _targets(path: Path, skipped: list[tuple[str, str]]) -> Iterator[_Target]:
    """The measured steps of a run folder, or of a file of runs."""
    if path.is_dir():
        for own in own_attempts(path, skipped):
            yield _Target(own.run, own.id, own.case, own.seconds)
        return
    for row in read_runs(path, read_text(path)):
        try:
            yield _target(row)
        except UnusableRow as reason:
            skipped.append((row.id, str(reason)))


def _left_out(target: _Target, fitted: Sequence[tuple[_Target, float]]) -> float | None:
    """The relative error of the step time that the other runs' median factor predicts."""
    others = [factor for other, factor in fitted if other.run != target.run]
    return step(scaled(target.case, median(others))).seconds / target.seconds - 1 if others else None


def calibrate(*paths: Path) -> Calibration:
    """Fit the runs of files and run folders. Raises InputError when one is malformed or none of them can be used."""
    fitted: list[tuple[_Target, float]] = []
    skipped: list[tuple[str, str]] = []
    for path in paths:
        for target in _targets(path, skipped):
            try:
                fitted.append((target, _factor(target)))
            except UnusableRow as reason:
                skipped.append((target.id, str(reason)))
    if not fitted:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped)
        raise InputError.one("TW856", f"no run of {', '.join(map(str, paths))} can be used", reasons)
    fits = [Fit(it.id, it.case.profile.name, factor, _left_out(it, fitted)) for it, factor in fitted]
    return Calibration(tuple(fits), tuple(skipped))
