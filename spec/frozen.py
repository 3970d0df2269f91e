"""The base of every value that crosses a border: immutable, and an unknown key is an error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """Immutable, no unknown keys."""

    # Validators are built at first use: most commands need few of the many classes. So a default that is a value of
    # such a class is made with `model_construct`, which needs none.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
