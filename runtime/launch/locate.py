"""Where a run is at this moment: in a process on a machine, in Slurm's queue, in a Kubernetes job, or nowhere.

A launch script leaves a note in the run folder (`slurm-job`, `kubernetes-job`); the scheduler is asked about it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...spec.foreign_files import read_foreign
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from .lock import is_held, owner

_SCHEDULER_TIMEOUT = 30  # seconds for a scheduler to answer


@dataclass(frozen=True, slots=True)
class RunLocation:
    """Where a run is, in words; `leave` is the command that makes it leave, where the stop file does not."""

    description: str
    stop_command: tuple[str, ...] = ()


def locate(run: RunFolder) -> RunLocation | None:
    """Where `run` is; None when nothing of it runs or waits."""
    place = scheduled(run)
    return place or (RunLocation(owner(run)) if is_held(run) else None)


def scheduled(run: RunFolder) -> RunLocation | None:
    """Where `run` is in the queue of a scheduler; None when none knows it."""
    for note, (form, look) in _SCHEDULERS.items():
        match = form.fullmatch(_note(run.path / note))
        place = look(*match.groups()) if match else None
        if place is not None:
            return place
    return None


def require_running(run: RunFolder) -> RunLocation:
    """Where a run is. Raises InputError (TW704) when nothing of it runs or waits."""
    place = locate(run)
    if place is None:
        remedy = f"see its state with: trainwright status {run.path}"
        raise InputError.one("TW704", f"{run.path} is not running", remedy, "RUN")
    return place


def _note(path: Path) -> str:
    """What a launch script has left; nothing where there is none, or something else lies there."""
    try:
        return read_foreign(path, 4096).decode().strip()
    except (OSError, ValueError):
        return ""


def _slurm(job: str, before: str | None) -> RunLocation | None:
    """`before` are the jobs that the last one waits for, which make the data."""
    states = _answer("squeue", "--noheader", f"--jobs={job}", "--format=%T %r").splitlines()
    if not states:
        return None
    state, _, reason = states[0].lower().partition(" ")
    because = "the data is being prepared" if reason == "dependency" else reason
    waiting = state == "pending"  # then nobody looks for a stop file
    text = f"Slurm job {job}: {state} ({because})" if waiting else f"Slurm job {job}: {state}"
    return RunLocation(text, ("scancel", "--quiet", job, *(before or "").split()) if waiting else ())


def _kubernetes(name: str, namespace: str, kind: str) -> RunLocation | None:
    """`kind` is job.batch, jobset or trainjob; the pods of each carry the run's label."""
    client = ("kubectl", "--namespace", namespace)
    alive = (f"--selector=trainwright/run={name}", "--field-selector=status.phase!=Succeeded,status.phase!=Failed")
    pods = _answer(*client, "get", "pods", *alive, "--output=name").splitlines()
    if not pods:
        return None
    suspend = ("patch", kind, name, "--type=merge", '--patch={"spec": {"suspend": true}}')
    text = f"Kubernetes {kind} {namespace}/{name}: {len(pods)} pod{'s' if len(pods) > 1 else ''}"
    return RunLocation(text, (*client, *suspend))  # each pod then saves and ends


def _answer(*words: str) -> str:
    """What a scheduler's command says; nothing when it fails: a job that is gone is an error there."""
    try:
        result = subprocess.run(
            words, capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=_SCHEDULER_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip()


_NAME = "([a-z0-9][a-z0-9.-]*)"
_SCHEDULERS: dict[str, tuple[re.Pattern[str], Callable[..., RunLocation | None]]] = {  # note -> its form, who to ask
    "slurm-job": (re.compile(r"(\d+(?:_\d+)?)(?:\s+([\d ]+))?", re.ASCII), _slurm),
    "kubernetes-job": (re.compile(rf"{_NAME}\s+{_NAME}\s+(job\.batch|jobset|trainjob)"), _kubernetes),
}
