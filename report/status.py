"""Where a run stands as one value, for `trainwright status --format json`; units are in the names, None is unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ..spec.number_text import UNKNOWN
from ..spec.run_progress import Progress
from .accounting.devices import outliers
from .accounting.emissions_row import emitted
from .accounting.history import RunHistory
from .tables.cells import Cell, Table, significant_cell, table, text
from .values import Value


class RunStatus(Value):
    """One run: where it is, how far it got, and what it used so far."""

    folder: str
    name: str | None
    place: str | None  # of its process or job; None: nothing of it runs or waits
    phase: str
    ended: str | None
    attempt: int | None
    step: int | None
    steps: int | None
    seconds_left: float | None
    tokens: float | None
    tokens_per_second: float | None
    mfu: float | None
    loss: float | None
    validation_loss: float | None
    power_watts: float | None
    energy_kwh: float | None
    measured: bool | None
    meter: str | None
    carbon_tonnes: float | None
    checkpoint_step: int | None
    stand_out: tuple[str, ...]  # ranks that differ from the rest, and how; as last logged
    faults: int
    last_fault: str | None
    faults_since_step: int | None  # the log was read from this step on; None: all of it
    last_event: float | None  # Unix seconds


def waiting(folder: Path, place: str) -> RunStatus:
    """A run that waits in a queue and has written nothing yet."""
    unknown = dict.fromkeys(RunStatus.model_fields)
    known = {"folder": str(folder), "place": place, "phase": "waiting", "stand_out": (), "faults": 0}
    return RunStatus.model_validate({**unknown, **known})


def run_status(folder: Path, place: str | None, history: RunHistory, p: Progress) -> RunStatus:
    """The status of a run that has written something."""
    steps = last_step(history, p)
    left = None if p.ended else p.seconds_left(steps)
    return RunStatus(
        folder=str(folder),
        name=history.name,
        place=place,
        phase=p.phase,
        ended=p.ended or None,
        attempt=p.attempt or None,
        step=p.step,
        steps=steps,
        seconds_left=left if left is not None and math.isfinite(left) else None,
        tokens=p.tokens,
        tokens_per_second=p.tokens_per_second,
        mfu=p.mfu,
        loss=p.loss,
        validation_loss=p.validation_loss,
        power_watts=p.power_watts,
        energy_kwh=p.energy_kwh,
        measured=p.measured,
        meter=None if p.measured is None else p.meter,
        carbon_tonnes=emitted(p.energy_kwh, history.carbon),
        checkpoint_step=p.checkpoint,
        stand_out=tuple(map(str, outliers(list(p.devices.values())))),
        faults=p.faults,
        last_fault=p.last_fault or None,
        faults_since_step=p.since,
        last_event=p.time,
    )


def last_step(history: RunHistory, p: Progress) -> int | None:
    """The step that the run will end with."""
    if p.last_step is not None or history.schedule is None:
        return p.last_step
    return max(history.schedule.steps, p.step)


def status_table(runs: Sequence[RunStatus]) -> Table:
    """One row a run."""
    figures = ("step", "steps", "loss", "tokens_per_second", "energy_kwh", "carbon_tonnes", "seconds_left")
    heads = ("Run", "Phase", "Step", "of", "Loss", "Tokens/s", "kWh", "tCO2eq", "Seconds left")
    rows = [[text(run.folder), text(run.phase), *(_cell(getattr(run, name)) for name in figures)] for run in runs]
    return table("status", "Runs", heads, rows)


def _cell(value: float | None) -> Cell:
    return text(UNKNOWN) if value is None else significant_cell(value)
