"""The common base of all sections of a spec."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from .frozen import Frozen

# Far above anything that was ever built, and small enough that no check or search can be made to run for hours.
Size = Annotated[int, Field(gt=0, le=10_000_000)]
Count = Annotated[int, Field(gt=0, le=1_000_000)]


class Section(Frozen):
    """The common base: immutable, no unknown keys."""


def section_in(annotation: Any) -> type[Section] | None:
    """The section class inside `X`, `X | None` or `tuple[X, ...]`."""
    for inner in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(inner, type) and issubclass(inner, Section):
            return inner
    return None
