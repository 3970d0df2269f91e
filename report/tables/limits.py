"""The limits of a spec as a table: what may be taken, what is predicted or measured, and whether that keeps it."""

from __future__ import annotations

from collections.abc import Sequence

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


def limits_table(title: str, found: str, limits: Sequence[Limit]) -> Table | None:
    """One row a limit; `found` heads what is compared with it. None without limits."""
    rows = [
        [text(WORDS[limit.name]), Cell(limit.most_text, limit.most), text(limit.found_text), text(limit.verdict)]
        for limit in limits
    ]
    return table("limits", title, ("Limit on", "At most", found, "Verdict"), rows) if rows else None
