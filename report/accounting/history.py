"""Report stage 1: a run folder in, its `RunHistory` out. Reads whatever is there and names what is missing.

A report is wanted most when a run went wrong, so nothing in a run folder is trusted to be whole: the log may be torn,
the plan may come from another version, events may lack fields. Only a folder that holds no run at all is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ...spec.estimate import Estimate
from ...spec.events import Event, StepEvent, UnknownEvent, read_events
from ...spec.foreign_files import foreign_lines, open_foreign, read_json
from ...spec.foreign_text import for_terminal
from ...spec.lineage import Inherited, read_inherited
from ...spec.plan import CarbonPlan, Device, Schedule
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder

_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_Section = TypeVar("_Section", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class AttemptPlan:
    """What an attempt's own plan says that its accounting needs."""

    device: Device | None
    carbon: CarbonPlan | None


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What a run folder says, unjudged. `None` and gaps are unknown; `missing` names each in words."""

    folder: Path
    name: str
    model: str | None
    device: Device | None
    carbon: CarbonPlan | None
    schedule: Schedule | None
    estimate: Estimate | None
    inherited: Inherited | None
    attempts: Mapping[int, AttemptPlan]
    events: tuple[Event, ...]
    missing: tuple[str, ...]


def read_run_history(folder: Path, *, events: bool = True) -> RunHistory:
    """Everything that a run folder holds, or all but the events.

    Raises InputError (TW861) when it holds neither a plan nor an event log.
    """
    run = RunFolder(folder)
    if not run.plan.is_file() and not run.events.is_file():
        raise InputError.one(
            "TW861",
            f"{folder} is not a run folder: it has neither plan.json nor events.jsonl",
            "give the folder that `trainwright launch` wrote, for example runs/tiny-cpu",
        )
    missing: list[str] = []
    kept = sorted((int(path.name), path) for path in run.path.glob("attempts/*") if _NUMBER.fullmatch(path.name))
    newest = kept[-1][1] if kept else run.path  # the plan that last trained, not one that was only launched
    plan = _json(newest / run.plan.name, missing, "the model and the carbon factors are unknown")
    log = _events(run.events, missing) if events else ()
    estimate = _json(newest / run.estimate.name, missing, "there is no plan to compare with")
    model = plan.get("model")
    return RunHistory(
        folder=folder,
        name=_text(plan.get("name")) or folder.resolve().name,
        model=_text(model.get("name")) if isinstance(model, dict) else None,
        device=_section(plan, "device", Device, missing),
        carbon=_section(plan, "carbon", CarbonPlan, missing),
        schedule=_section(plan, "schedule", Schedule, missing),
        estimate=_section({"estimate": estimate}, "estimate", Estimate, missing) if estimate else None,
        inherited=_inherited(run, missing),
        attempts={number: _attempt_plan(path / run.plan.name, missing) for number, path in kept},
        events=log,
        missing=tuple(missing),
    )


def _inherited(run: RunFolder, missing: list[str]) -> Inherited | None:
    try:
        return read_inherited(run)
    except (OSError, ValueError) as error:
        missing.append(f"{run.inherited.name} cannot be read ({_first_line(error)}): what was inherited is unknown")
        return None


def _attempt_plan(path: Path, missing: list[str]) -> AttemptPlan:
    gaps: list[str] = []
    plan = _json(path, gaps, "counted with the run's plan")
    own = AttemptPlan(_section(plan, "device", Device, gaps), _section(plan, "carbon", CarbonPlan, gaps))
    missing.extend(f"attempt {path.parent.name}: {gap}" for gap in gaps)
    return own


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _json(path: Path, missing: list[str], consequence: str) -> dict[str, Any]:
    """The mapping in a JSON file; empty, with the reason noted, when there is none."""
    try:
        value = _printable(read_json(path))
    except FileNotFoundError:
        missing.append(f"{path.name} is missing: {consequence}")
        return {}
    except (OSError, ValueError, RecursionError) as error:
        missing.append(f"{path.name} cannot be read ({_first_line(error)}): {consequence}")
        return {}
    if not isinstance(value, dict):
        missing.append(f"{path.name} holds no mapping: {consequence}")
        return {}
    return value


def _printable(value: Any) -> Any:
    """The value with the control characters in its texts spelled out."""
    if isinstance(value, str):
        return for_terminal(value)
    if isinstance(value, dict):
        return {key: _printable(inner) for key, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, list) else value


def _section(plan: dict[str, Any], key: str, kind: type[_Section], missing: list[str]) -> _Section | None:
    """One section, on its own, so that a plan of another version still gives the sections that did not change."""
    if key not in plan:
        if plan:
            missing.append(f"plan.json has no section {key}")
        return None
    try:
        return kind.model_validate(plan[key])
    except ValidationError as error:
        file = "estimate.json" if key == "estimate" else f"plan.json, section {key}"
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "value"
        missing.append(f"{file} is not of this version of Trainwright ({place}: {fault['msg']}): left out")
        return None


def _events(path: Path, missing: list[str]) -> tuple[Event, ...]:
    try:
        with open_foreign(path) as log:
            lines = sum(1 for _ in foreign_lines(log))
        events = tuple(read_events(path))
    except FileNotFoundError:
        missing.append(f"{path.name} is missing: nothing was measured")
        return ()
    except OSError as error:
        missing.append(f"{path.name} cannot be read ({_first_line(error)}): nothing was measured")
        return ()
    if torn := lines - len(events):
        missing.append(f"{path.name}: {torn} of {lines} lines torn or not events: left out")
    return tuple(_known(events, missing))


def _known(events: Iterable[Event], missing: list[str]) -> list[Event]:
    """Events of kinds we know, each with a whole attempt number (its own, else that of the event before)."""
    known: list[Event] = []
    strange: dict[str, int] = {}
    attempt = 1
    for event in events:
        if isinstance(event, UnknownEvent):
            strange[event.given_kind] = strange.get(event.given_kind, 0) + 1
            continue
        attempt = event.attempt if event.attempt is not None and event.attempt >= 1 else attempt
        known.append(event if event.attempt == attempt else replace(event, attempt=attempt))
    missing.extend(
        f"events.jsonl: {count} events of unknown kind {kind[:40]!r} (another version?): left out"
        for kind, count in sorted(strange.items())
    )
    if not any(isinstance(event, StepEvent) for event in known):
        missing.append("the run never finished a step: no curve, no throughput")
    return known


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
