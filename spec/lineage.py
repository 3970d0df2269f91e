"""What a branch has of the run that it extends: which checkpoint, how many tokens, and the energy they took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .foreign_files import read_json
from .frozen import Frozen
from .phases import PREPARATION
from .run_folder import CHECKPOINT_STATE, RunFolder
from .units import JOULES_PER_KWH

_LARGEST = 2**60  # samples: far more than any run has


class Inherited(Frozen):
    """The branch point, as the branch keeps it in its folder. `energy_kwh`: of all runs up to there."""

    run: str
    name: str
    spec_sha256: str
    step: int
    tokens: int
    energy_kwh: float | None


def read_branch_point(trunk: Path, step: int) -> Inherited:
    """What the checkpoint of `step` in the run folder `trunk` says. Raises ValueError or OSError where it cannot."""
    run = RunFolder(trunk)
    try:
        content = read_json(run.checkpoint(step) / CHECKPOINT_STATE)
        plan, samples = content["settings"]["plan"], content["state"]["samples"]
        if not isinstance(samples, int) or not 0 < samples < _LARGEST:
            raise ValueError(f"{samples!r:.40} is not a number of samples")
        own, before = _metered(content["energy"]), _before(run, plan)
        return Inherited(
            run=str(trunk),
            name=plan["name"],
            spec_sha256=plan["spec_sha256"],
            step=step,
            tokens=samples * int(plan["training"]["sequence_length"]),
            energy_kwh=None if own is None or before is None else own + before,
        )
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise ValueError(f"{CHECKPOINT_STATE} is not the state of a run of this version") from error


def read_inherited(run: RunFolder) -> Inherited | None:
    """What a branch inherited; None where the run is no branch. Raises ValueError or OSError for a damaged file."""
    try:
        return Inherited.model_validate(read_json(run.inherited))
    except FileNotFoundError:
        return None


def _metered(phases: dict[str, Any]) -> float | None:
    """The energy in kWh of a checkpoint's ledger, as a run's row counts it: without preparation.

    None where some of its time was not metered.
    """
    trained = [phase for name, phase in phases.items() if name not in PREPARATION]
    if any(phase["unmetered_seconds"] for phase in trained):
        return None
    return sum(phase["joules"] for phase in trained) / JOULES_PER_KWH


def _before(run: RunFolder, plan: dict[str, Any]) -> float | None:
    """What the trunk itself inherited."""
    if plan.get("extends_run") is None:
        return 0.0
    inherited = read_inherited(run)
    return inherited.energy_kwh if inherited else None
