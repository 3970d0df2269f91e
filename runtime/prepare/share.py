"""The part of a preparation that one process does: all of it, or a step of one that several machines do together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

_T = TypeVar("_T")
Step = Literal["all", "start", "units", "close"]


@dataclass(frozen=True, slots=True)
class Share:
    """`start` makes the tokenizer, then `count` workers make every count-th unit, then `close` makes the dataset."""

    step: Step = "all"
    index: int = 0
    count: int = 1

    @property
    def recorded(self) -> bool:
        """Whether an earlier step has read the corpus: then sizes and times say that it is the same."""
        return self.step in ("units", "close")

    def of(self, units: Sequence[_T]) -> Sequence[_T]:
        """The units to be made: all but in a worker."""
        return units[self.index :: self.count] if self.step == "units" else units


WHOLE = Share()
