"""Facts: every figure has a unit, a source and a date, in one of two shapes, and none is written into the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from trainwright.compiler.cost import profile_sections, software_profile
from trainwright.compiler.cost.stack import profile, profile_names
from trainwright.spec.facts import DATE, Fact, facts, figures

ROOT = Path(__file__).parents[2]
TABLES = sorted(path.stem for path in (ROOT / "spec/facts").glob("*.yaml"))
NO_FIGURES = {"key_examples"}  # examples of values, which are nobody's
RULES = {"frameworks"}  # which profile a row means: patterns, and the ZeRO stages of rows that they are for
PROFILES = {"profiles"}  # units of their columns stand beside the fields of `SoftwareProfile`

UNITS = re.compile(
    r"\b(bytes?|GB|shares?|seconds|logits|hidden states|stages?|calls|traffic|the same)\b", re.IGNORECASE
)  # one of them is in the line of each number of a software profile


@dataclass(frozen=True)
class Figure:
    """A number of a table of rows: where it stands, and what is said of it from the table down to its row."""

    place: str
    unit: bool = False
    source: bool = False
    date: bool = False


def figures_of_rows(node: Any, sources: dict[str, Any], units: set[str], found: Figure) -> Iterator[Figure]:
    """Every number outside of a `Fact`."""
    if isinstance(node, dict):
        named = node.get("source")
        origin = sources.get(named, named) if isinstance(named, str) else named
        dated = [node.get("date"), *(origin.get(key) for key in ("date", "read") if isinstance(origin, dict))]
        found = replace(
            found,
            source=found.source or origin is not None,
            date=found.date or any(DATE.fullmatch(str(date)) for date in dated),
        )
        for key, part in node.items():
            known = found.unit or key in units | PROFILES
            yield from figures_of_rows(part, sources, units, replace(found, place=f"{found.place}.{key}", unit=known))
    elif isinstance(node, list):
        for part in node:
            yield from figures_of_rows(part, sources, units, found)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield found


def units_of(node: Any) -> set[str]:
    """The columns that a table, or a row of it, gives a unit."""
    if not isinstance(node, dict):
        return set()
    return set(node.get("units", ())).union(*(units_of(part) for part in node.values()))


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_has_unit_source_and_date(name: str) -> None:
    """A number is a `Fact`, which its loader holds to its shape, or lies in a row with all three."""
    table = facts(name)
    sources = table.get("sources", {})
    tables = {key: part for key, part in table.items() if key not in {"sources", "units", "source"} | RULES}
    # The places of a grid table are all from the source of that table, so the rows name none.
    whole = isinstance(table.get("source"), dict) or name in {"grid", "grid_years"}
    start = Figure(name, source=whole, date=whole or "date" in table)
    lacking = [
        found
        for found in figures_of_rows(tables, sources, units_of(table), start)
        if not (found.unit and found.source and found.date)
    ]
    assert name in NO_FIGURES or lacking == []


@pytest.mark.parametrize("name", ["grid", "grid_years", "power"])
def test_a_source_of_many_rows_says_when_it_was_read(name: str) -> None:
    """And which licence it has."""
    assert all(DATE.fullmatch(row["read"]) and row["licence"] for row in facts(name)["sources"].values())


def test_a_fact_without_its_source_is_refused() -> None:
    """Nor is one whose date is no month or day, or that has more than a fact has."""
    whole = {"value": 1, "unit": "steps", "source": "somebody", "date": "2026-11-29"}
    assert Fact(**whole).value == 1
    for wrong in ({"source": ""}, {"unit": ""}, {"date": "2026"}):
        with pytest.raises(ValueError, match="a fact needs"):
            Fact(**whole | wrong)
    with pytest.raises(TypeError):
        Fact(**whole | {"sources": "somebody"})


def test_figures_are_the_values_of_facts() -> None:
    """Code reads the number where the table has it, and the source where it says it."""
    assert figures("planning")["memory_fill"] == facts("planning")["memory_fill"].value
    assert figures("constants")["matmul"]["fill_seconds"] == facts("constants")["matmul"]["fill_seconds"].value
    assert figures("gpus") == facts("gpus")


def sections() -> list[ast.ClassDef]:
    """The classes of a software profile."""
    trees = [ast.parse(Path(module.__file__).read_text("utf-8")) for module in (profile_sections, software_profile)]
    return [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("section", sections(), ids=lambda node: node.name)
def test_every_field_of_a_software_profile_is_explained(section: ast.ClassDef) -> None:
    """The line below a field says what it is, and in which unit where it is a number."""
    body = section.body[1:]  # without the class's own docstring
    for field, about in zip(body[::2], body[1::2], strict=True):
        assert isinstance(field, ast.AnnAssign)
        assert isinstance(about, ast.Expr), ast.unparse(field)
        text = ast.literal_eval(about.value)
        number = re.search(r"\b(float|int|Traffic)\b", ast.unparse(field.annotation))
        assert len(text) > 10
        assert text.endswith(".")
        assert not number or UNITS.search(text), (ast.unparse(field), text)


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_has_the_types_of_its_fields(name: str) -> None:
    """A row of the table fills every field, and lists become tuples, so that it can be hashed and not be changed."""
    found = profile(name)
    values = [getattr(found, field.name) for field in fields(found)]
    assert not any(isinstance(value, list | dict) for value in values)
