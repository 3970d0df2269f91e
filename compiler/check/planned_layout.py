"""The layout that a spec will get: found once, and shared by the rules that need it."""

from __future__ import annotations

from functools import lru_cache

from ...spec.layout import Layout
from ..load import Loaded


@lru_cache(maxsize=4)
def layout_of(loaded: Loaded) -> Layout:
    """The planner's choice. Raises NoLayoutError when there is none."""
    from ..plan.layout_search import choose  # only a spec without errors pays for the planner

    return choose(loaded.spec)
