"""Facts kept apart from code: numbers about hardware, grids and published constants, with unit, source and date.

Two shapes. A figure is a `Fact`: value, unit, source, date, note. A table of rows (devices, places, recipes) names a
source and a date for each row and the unit of each column (`units`); `tests/spec/test_facts.py` holds it to that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DATE = re.compile(r"20\d\d(-\d\d){1,2}")  # a month, or a day of it


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure about the world: a number, or numbers that belong together; since when its source says so (`date`)."""

    value: Any
    unit: str
    source: str
    date: str
    note: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError where unit, source or date says nothing."""
        if not (self.unit and self.source and DATE.fullmatch(self.date)):
            raise ValueError(f"a fact needs unit, source and date: {self}")


@cache
def facts(name: str) -> dict[str, Any]:
    """The table `spec/facts/<name>.yaml`, read once; each section that has a `value` is a `Fact`.

    Raises FileNotFoundError when there is no such table, TypeError or ValueError where a fact has another shape.
    """
    text = files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return _typed(yaml.load(text, Loader=_LOADER))  # noqa: S506 - both loaders are the safe ones


@cache
def figures(name: str) -> dict[str, Any]:
    """The same table with the value of each fact in its place. Raises as `facts` does."""
    return _bare(facts(name))


def _typed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    return Fact(**node) if "value" in node else {key: _typed(part) for key, part in node.items()}


def _bare(node: Any) -> Any:
    if isinstance(node, Fact):
        return node.value
    return {key: _bare(part) for key, part in node.items()} if isinstance(node, dict) else node
