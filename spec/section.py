"""The common base of all sections of a spec."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """The common base: immutable, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
