"""Values as a spec writes them: quantities with their unit, amounts in words. The way back from `quantity.py`."""

from __future__ import annotations

from typing import Any, get_args

from pydantic.fields import FieldInfo

from .quantity import Amount, Dimension


def written(value: Any, field: FieldInfo) -> Any:
    """`value` of `field` in the spec's language: `400 W`, `2000 steps`; what has no unit stays as it is."""
    if isinstance(value, Amount):
        return value.text
    dimension = _dimension(field)
    if dimension is None or dimension.bare or value is None:
        return value
    return dimension.text(value)


def _dimension(field: FieldInfo) -> Dimension | None:
    """What a field measures; an optional quantity carries that on the member of its union."""
    members = (getattr(member, "__metadata__", ()) for member in get_args(field.annotation))
    return next((item for group in (field.metadata, *members) for item in group if isinstance(item, Dimension)), None)
