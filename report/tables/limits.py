"""The limits of a spec as a table: what may be taken, what is predicted or measured, and whether that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...spec.estimate import Limit
from .cells import Cell, Table, table, text

WORDS = {
    "days": "days of training",
    "carbon": "carbon",
    "energy": "energy of the devices",
    "cost": "money",
    "memory": "memory of a device",
    "site_power": "power of all devices",
}


def limits_table(found: str, limits: Sequence[Limit], of: str) -> Table | None:
    """One row a limit; `found` heads what is compared with it. None without limits."""
    rows = [
        [text(WORDS[limit.name]), Cell(limit.most_text, limit.most), _found(limit), text(limit.verdict)]
        for limit in limits
    ]
    if not rows:
        return None
    return replace(table("limits", "Limits of the spec", ("Limit on", "At most", found, "Verdict"), rows), of=of)


def _found(limit: Limit) -> Cell:
    """What was found, with its bounds where it has some."""
    found = limit.found
    if found is None:
        return text(limit.found_text)
    if found.low == found.high:
        return Cell(limit.found_text, found.value)
    return Cell(limit.found_text, found.value, low=found.low, high=found.high)
