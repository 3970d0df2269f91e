"""Facts: every figure has a source, those of one shape have all of it, and none is written into the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from trainwright.spec.facts import Fact, facts

ROOT = Path(__file__).parents[2]
TABLES = sorted(path.stem for path in (ROOT / "spec/facts").glob("*.yaml"))
NO_FIGURES = {"key_examples"}  # examples of values, which are nobody's
COMMENTED = {"accuracy", "constants", "software"}  # fitted figures: the comment above each says to what
OWN_FIGURES = {"compiler/cost/runtime_memory.py:GATHERED_LAYERS"}  # of our own runtime, which a device test measures


def figures(value: Any, sourced: bool = False) -> Iterator[tuple[object, bool]]:
    """Every number of a table, and whether it or a section around it names a source."""
    if isinstance(value, dict):
        sourced = sourced or bool({"source", "sources"} & value.keys())
        for part in value.values():
            yield from figures(part, sourced)
    elif isinstance(value, list):
        for part in value:
            yield from figures(part, sourced)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value, sourced


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_has_a_source(name: str) -> None:
    """Each number stands in a section that names its source, or in a table whose comments say what it was fitted to."""
    if name not in NO_FIGURES | COMMENTED:
        assert [value for value, sourced in figures(facts(name)) if not sourced] == []


@pytest.mark.parametrize("name", facts("planning"))
def test_a_planning_figure_has_the_shape_of_a_fact(name: str) -> None:
    """Value, unit, source, date and note, and nothing else."""
    fact = Fact(**facts("planning")[name])
    assert isinstance(fact.value, int | float)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", fact.date)
    assert all(len(asdict(fact)[field]) > 4 for field in ("unit", "source", "note"))


def test_no_figure_is_written_into_the_cost_model_or_the_planner() -> None:
    """A fraction that a module of `cost` or `plan` names is a fact, so it stands in a table."""
    found = {
        f"{path.relative_to(ROOT)}:{ast.unparse(node.targets[0])}"
        for room in ("cost", "plan")
        for path in (ROOT / "compiler" / room).glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, float)
    }
    assert found == OWN_FIGURES
