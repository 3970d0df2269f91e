"""What `trainwright profile` asks a run for: a trace of some steps on some ranks, as a file in the run folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, NonNegativeInt, ValidationError

from .foreign_files import read_json
from .frozen import Frozen

MOST_STEPS = 100  # a trace of more is too large to be opened
LARGEST = 1 << 16  # bytes of a request


class ProfileRequest(Frozen):
    """The number of steps, and the ranks that are traced."""

    steps: int = Field(ge=1, le=MOST_STEPS)
    ranks: tuple[NonNegativeInt, ...] = Field(min_length=1)


def read_profile_request(path: Path) -> ProfileRequest | None:
    """The request in a file; None where there is none that can be understood."""
    try:
        return ProfileRequest.model_validate(read_json(path, LARGEST))
    except (OSError, ValueError, ValidationError):
        return None
