"""A diff as tables: the keys that changed, and what that does to the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...report.tables.cells import Table, significant_cell, table, text
from ...spec.facts import figures
from ...spec.number_text import UNKNOWN
from .diff import Change, Effect


def diff_tables(changed: Sequence[Change], felt: Sequence[Effect]) -> list[Table]:
    """The changed keys, and the predicted effects."""
    return [_changes(changed), _effects(felt)]


def _changes(changed: Sequence[Change]) -> Table:
    rows = [[text(change.path), text(_shown(change.before)), text(_shown(change.after))] for change in changed]
    return table("changes", "Changes in meaning", ("Key", "Before", "After"), rows)


def _effects(felt: Sequence[Effect]) -> Table:
    rows = [
        [
            text(f"{effect.name} ({effect.unit})"),
            significant_cell(effect.before),
            significant_cell(effect.after),
            text(_ratio(effect)),
        ]
        for effect in felt
    ]
    return table("effects", "Predicted effect", ("Figure", "Before", "After", "Change"), rows)


def _ratio(effect: Effect) -> str:
    if effect.ratio is None:
        return UNKNOWN
    return "same" if abs(effect.ratio - 1) < figures("planning")["same_cost"] else f"{effect.ratio - 1:+.1%}"


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)
