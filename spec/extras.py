"""The optional parts of an installation, and the line that says how to get one that is missing."""

from __future__ import annotations

from importlib.util import find_spec

from .facts import facts
from .problem import InputError, Problem


def needs(module: str) -> Problem | None:
    """The problem that a missing module is, with the extra that brings it; None for one that is no extra's."""
    name = module.partition(".")[0]
    extra = next((extra for extra, modules in facts("extras").items() if name in modules), None)
    if extra is None:
        return None
    return Problem(
        "TW641", "error", f"this needs {name}, which is not installed: pip install 'trainwright[{extra}]'", ""
    )


def require_extra(extra: str) -> None:
    """Raise InputError where a package of an extra is missing, before anything is started that would need it."""
    missing = [needs(module) for module in facts("extras")[extra] if find_spec(module) is None]
    if problems := [problem for problem in missing if problem]:
        raise InputError(problems[:1])
