"""Fit the estimator's one honest knob, the efficiency of compute, to runs that a user made.

In: a file of runs as `backtest` reads it. Out: a `Calibration`: the factor at which each run's prediction equals its
measurement, their median, and the text of a file that a spec can name (`extends: calibration.yaml`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from ...spec.problem import InputError
from ..cost.case import StepCase
from ..cost.step import step
from .published_run import PublishedRun, Skipped
from .read_runs import read_runs, read_text
from .run_case import case

LOW, HIGH = 0.05, 2.0  # factors beyond these mean that the row and the model do not speak of the same thing
HALVINGS = 40
WRITTEN_BY = "# Written by `trainwright calibrate`"  # how a profile file begins


@dataclass(frozen=True, slots=True)
class Fit:
    """One run: the factor that makes the model reproduce it, and the profile that the factor applies to."""

    id: str
    profile: str
    factor: float


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


def _scaled(asked: StepCase, factor: float) -> StepCase:
    return replace(asked, profile=replace(asked.profile, matmul=asked.profile.matmul * factor))


def _fit(row: PublishedRun) -> Fit:
    asked = case(row)
    speed = row.speed or row.known("tokens_per_s_per_gpu")
    wanted = asked.work.tokens / (speed * asked.layout.gpus)
    factor = _solve(lambda share: step(_scaled(asked, share)).seconds, wanted)
    if factor is None:
        raise Skipped(f"no efficiency between {LOW} and {HIGH} reproduces its speed")
    return Fit(row.id, asked.profile.name, factor)


def calibrate(path: Path) -> Calibration:
    """Fit the runs of the file at `path`. Raises InputError when it is malformed or holds no run that can be used."""
    fits: list[Fit] = []
    skipped: list[tuple[str, str]] = []
    for row in read_runs(path, read_text(path)):
        try:
            fits.append(_fit(row))
        except Skipped as reason:
            skipped.append((row.id, str(reason)))
    if not fits:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped)
        raise InputError.one("TW856", f"no run of {path} can be used", reasons)
    return Calibration(tuple(fits), tuple(skipped))
