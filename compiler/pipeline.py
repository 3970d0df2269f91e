"""The stages in order: a loaded spec becomes the verified text of a bundle. Nothing is written here."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

from ..spec.problem import InputError
from .check import Warn, no_warning, require_no_errors
from .load import Loaded
from .plan.estimate import estimate
from .plan.layout_search import choose
from .plan.lower import lower
from .render import TARGETS, render
from .render.inputs import RenderInputs
from .render.verify import verify


def compile_bundle(loaded: Loaded, target: str | None = None, warn: Warn = no_warning) -> dict[str, str]:
    """File names and texts of the bundle of `loaded`, for `target` (default: the spec's own).

    `warn` is given the warnings and notes of `check`.

    Raises InputError when a check finds an error, and `UnsoundError` when the output cannot be vouched for.
    """
    if target is not None:
        loaded = _for_target(loaded, target)
    warn(require_no_errors(loaded))
    files = _rendered(loaded)
    verify(files, _rendered(loaded))
    return files


def _for_target(loaded: Loaded, target: str) -> Loaded:
    if target not in TARGETS:
        raise InputError.one("TW620", f"unknown target {target!r}", f"one of {', '.join(TARGETS)}", "launch.target")
    launch = loaded.spec.launch.model_copy(update={"target": target})
    return replace(loaded, spec=loaded.spec.model_copy(update={"launch": launch}))


def _rendered(loaded: Loaded) -> dict[str, str]:
    spec = loaded.spec
    plan = lower(loaded, choose(spec))
    unit = RenderInputs(spec, plan, estimate(spec, plan.layout))
    return render(unit, loaded.provenance, f"{version('trainwright')} bundle of {spec.name} for {unit.target}")
