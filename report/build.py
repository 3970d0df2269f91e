"""Report stage 6: run folders in, one `Report` value out. Every format is written from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..spec.emissions import exact_sum
from ..spec.events import StepEvent, ValidationEvent
from .accounting.attempts import AttemptEvents, attempts
from .accounting.curves import columns, marks, training
from .accounting.devices import device_rows, outliers
from .accounting.difference import changes
from .accounting.emissions_row import (
    actual_row,
    coverage,
    describe_attempts,
    faults,
    gaps,
    planned_row,
    published_row,
    spans,
    total_row,
)
from .accounting.factors import emissions, mean_carbon
from .accounting.heat_map import heat_map
from .accounting.history import RunHistory, read_run_history
from .accounting.hours import hour_parts
from .accounting.limits import measured_limits
from .accounting.scopes import scopes
from .accounting.source_use import sources
from .accounting.surviving import surviving_events
from .document import generator
from .values import Attempt, Lineage, Report, Run

ROUNDING = (
    "Totals are sums of unrounded rows, then rounded once, half to even; so printed rows can differ from a printed "
    "total by up to half a unit of the last digit per row."
)


def build_report(folders: Sequence[Path]) -> Report:
    """The report on one run or a family. Raises InputError when a folder is not a run folder."""
    return report_on([read_run_history(folder) for folder in folders])


def report_on(histories: Sequence[RunHistory]) -> Report:
    """The report on runs that were read."""
    runs = tuple(_run(history, label) for history, label in zip(histories, _labels(histories), strict=True))
    planned = [run.planned for run in runs if run.planned is not None]
    return Report(
        generator=generator(),
        runs=runs,
        planned_total=total_row(planned) if len(planned) == len(runs) else None,
        actual_total=total_row([run.actual for run in runs]),
        rounding=ROUNDING,
    )


def _labels(histories: Sequence[RunHistory]) -> list[str]:
    """The run's name; where two runs share it, with the folder's name; where they share that too, with its path."""
    names = [history.name for history in histories]
    folders = [history.folder.resolve() for history in histories]
    for details in ([folder.name for folder in folders], folders):
        count = Counter(names)
        names = [
            name if count[name] == 1 else f"{history.name} ({detail})"
            for history, name, detail in zip(histories, names, details, strict=True)
        ]
    return names


def _run(history: RunHistory, label: str) -> Run:
    raw = attempts(history.events)
    found = describe_attempts(raw, history)
    carbon, emitted = mean_carbon(found, history), emissions(raw, history)
    estimate = history.estimate
    actual = actual_row(found, carbon, estimate)
    planned = planned_row(estimate) if estimate else None
    steps = columns(surviving_events(raw, StepEvent), emitted)
    validation = columns(surviving_events(raw, ValidationEvent), emitted)
    device = history.device
    phases = spans(history.events)
    lines = scopes(actual, phases, estimate, carbon)
    actual = actual.model_copy(update={"counted_tonnes": exact_sum([line.carbon_tonnes for line in lines])})
    uses = device_rows(history.events)
    return Run(
        label=label,
        folder=str(history.folder),
        name=history.name,
        model=history.model or (estimate.model if estimate else "unknown"),
        parameters=estimate.parameters if estimate else None,
        cluster=estimate.cluster if estimate else "unknown",
        device=device.name if device else "unknown",
        devices=device.count if device else None,
        power_cap_watts=device.power_cap_watts if device else None,
        status=_status(raw),
        ended=max((event.time for event in history.events if event.time is not None), default=None),
        actual=actual,
        planned=planned,
        planned_scopes=estimate.scope_parts if estimate else (),
        published=published_row(estimate) if estimate else None,
        predicted_loss=estimate.final_loss.value if estimate and estimate.final_loss else None,
        changes=changes(planned, actual, estimate, carbon) if planned and estimate else (),
        hours=hour_parts(raw, history),
        measured_share=coverage(found),
        attempts=tuple(found),
        spans=tuple(phases),
        gaps=tuple(gaps(raw)),
        faults=tuple(faults(raw)),
        marks=tuple(marks(raw)),
        scopes=lines,
        limits=measured_limits(estimate, actual, found, steps) if estimate else (),
        carbon=carbon,
        training=training(raw, steps, validation, _planned_steps(raw, history)),
        inherited=_lineage(history),
        sources=sources(history.events),
        device_uses=tuple(uses),
        stand_out=tuple(outliers(uses)),
        heat_map=heat_map(history.events),
        curves=steps,
        validation=validation,
        missing=history.missing + _unknown(found),
    )


def _status(raw: Sequence[AttemptEvents]) -> str:
    if not raw:
        return "never started"
    if raw[-1].stop is None:
        return "unfinished: no stop event (still running, or killed)"
    reason = raw[-1].stop.reason
    return "finished" if reason == "done" else f"stopped: {reason}"


def _lineage(history: RunHistory) -> Lineage | None:
    found = history.inherited
    return Lineage.model_validate(found.model_dump(exclude={"spec_sha256"})) if found else None


def _planned_steps(raw: Sequence[AttemptEvents], history: RunHistory) -> int | None:
    """The step that the last attempt was to end with; before the first the plan's own."""
    given = raw[-1].start.last_step if raw else None
    return given if given is not None else (history.schedule.steps if history.schedule else None)


def _unknown(found: Sequence[Attempt]) -> tuple[str, ...]:
    """What the accounting could not know, in words."""
    notes = [
        f"attempt {a.number}: no energy reading, so the run's energy is unknown" for a in found if a.energy_kwh is None
    ]
    notes += [
        f"attempt {a.number} has no stop event: what it used after its last event is not counted"
        for a in found
        if a.ended.startswith("no stop event")
    ]
    return tuple(notes)
