"""The whole range of what is predicted keeps the limits.

A limit inside the range may be kept or broken. One above the range leaves room for what the prediction does not know.

Bad:

    limits: {days: 40}                    # predicted: 38 d (30 to 48 d)

Good:

    limits: {days: 48}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.limits import limit_text
from ..load import Loaded
from .finding import Finding
from .planned_layout import limits_of

CODE = "TW421"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Limits that lie inside the range of the prediction."""
    for limit in limits_of(loaded):
        if limit.verdict == "at risk" and limit.found:
            message = f"predicted {limit.found_text}: the limit of {limit.most_text} lies inside the range"
            safe = limit_text(limit.name, limit.found.high, limit.currency)
            yield Finding(f"limits.{limit.name}", message, f"The run may break it; {safe} would be safe.")
