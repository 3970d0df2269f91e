"""What a rule reports: the key it is about, what is wrong, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass

from ...spec.problem import Place
from ..load import Loaded


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `path` is the dotted key to point at."""

    path: str
    message: str
    remedy: str = ""


def place_of(path: str, loaded: Loaded) -> Place:
    """The place of a key, or of the nearest key above it that the user wrote."""
    steps = path.split(".")
    for length in range(len(steps), 0, -1):
        place = loaded.places.get(".".join(steps[:length]))
        if place is not None:
            return place
    return Place(str(loaded.path), 1, 1)
