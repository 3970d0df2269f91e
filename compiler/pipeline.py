"""The stages in order: a loaded spec becomes the verified text of a bundle. Nothing is written here."""

from __future__ import annotations

from importlib.metadata import version

from ..spec.problem import InputError
from .check import passed
from .estimate import estimate
from .load import Loaded
from .lower import lower
from .planner import choose
from .render import TARGETS, render
from .render.unit import Unit
from .verify import verify


def compile_bundle(loaded: Loaded, target: str | None = None) -> dict[str, str]:
    """File names and texts of the bundle of `loaded`, for `target` (default: the spec's own).

    Raises InputError when a check finds an error, and `UnsoundError` when the output cannot be vouched for.
    """
    passed(loaded)
    files = _rendered(loaded, target or loaded.spec.launch.target)
    verify(files, _rendered(loaded, target or loaded.spec.launch.target))
    return files


def _rendered(loaded: Loaded, target: str) -> dict[str, str]:
    if target not in TARGETS:
        raise InputError.one("TW620", f"unknown target {target!r}", f"one of {', '.join(TARGETS)}", "launch.target")
    spec = loaded.spec
    plan = lower(loaded, choose(spec))
    unit = Unit(spec, plan, estimate(spec, plan.layout), target)
    return render(unit, loaded.provenance, f"{version('trainwright')} bundle of {spec.name} for {target}")
