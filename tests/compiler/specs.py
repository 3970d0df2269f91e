"""Specs and compiled units for tests of the later stages."""

from __future__ import annotations

from pathlib import Path

from trainwright.compiler.load import Loaded, load
from trainwright.compiler.plan.estimate import estimate
from trainwright.compiler.plan.layout_search import choose
from trainwright.compiler.plan.lower import lower
from trainwright.compiler.render.inputs import RenderInputs

EXAMPLES = Path(__file__).parents[2] / "examples"


def loaded(name: str, *sets: str) -> Loaded:
    """An example spec with overrides."""
    return load(EXAMPLES / f"{name}.yaml", sets)


def unit(name: str, *sets: str) -> RenderInputs:
    """An example, lowered for rendering."""
    found = loaded(name, *sets)
    plan = lower(found, choose(found.spec))
    return RenderInputs(found.spec, plan, estimate(found.spec, plan.layout))
