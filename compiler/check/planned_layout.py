"""The layout that a spec will get, and how its limits stand there: found once, for the rules that need them."""

from __future__ import annotations

from functools import lru_cache

from ...spec.estimate import Limit
from ...spec.layout import Layout
from ..load import Loaded


@lru_cache(maxsize=4)
def layout_of(loaded: Loaded) -> Layout:
    """The planner's choice. Raises NoLayoutError when there is none."""
    from ..plan.layout_search import choose  # only a spec without errors pays for the planner

    return choose(loaded.spec)


@lru_cache(maxsize=4)
def limits_of(loaded: Loaded) -> tuple[Limit, ...]:
    """Each limit of the spec, compared with the estimate; none where there is no layout, which TW315 says."""
    from ..plan.estimate import estimate  # as above
    from ..plan.layout_search import NoLayoutError

    if loaded.spec.limits is None:
        return ()
    try:
        return estimate(loaded.spec, layout_of(loaded)).limits
    except NoLayoutError:
        return ()
