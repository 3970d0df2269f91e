"""Facts kept apart from code: numbers about hardware, grids and published constants, with unit, source and date."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure about the world: its unit, where it comes from, and since when that is said (`2026-11-28`)."""

    value: float
    unit: str
    source: str
    date: str
    note: str = ""


@cache
def facts(name: str) -> dict[str, Any]:
    """The table `spec/facts/<name>.yaml`, read once. Raises FileNotFoundError when there is no such table."""
    text = files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both loaders are the safe ones


def planning_fact(name: str) -> float:
    """A figure of `planning.yaml`, in the unit given there. Raises KeyError where there is none."""
    return Fact(**facts("planning")[name]).value
