"""Trainwright: a declarative training-spec compiler.

One spec says what to train; Trainwright checks it, plans it, estimates its cost, renders it, trains it and reports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import check, compile, estimate, load, plan, report  # noqa: A004 - the name of the stage

__version__ = "0.1.0"
__all__ = ["__version__", "check", "compile", "estimate", "load", "plan", "report"]


def __getattr__(name: str) -> Any:
    """The functions of `api.py`, imported when first used: the command line and the runtime need none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import api

    return getattr(api, name)
