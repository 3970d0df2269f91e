"""Pipeline stages: which layers of the model are whose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PipelineStage:
    """Stage `index` of `count`, of equally many layers each; the first has the embedding, the last norm and head."""

    index: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether tokens come in here."""
        return self.index == 0

    @property
    def last(self) -> bool:
        """Whether the loss is made here."""
        return self.index == self.count - 1

    def layers(self, total: int) -> range:
        """Its layers of a model's `total`, which the number of stages divides."""
        each = total // self.count
        return range(self.index * each, (self.index + 1) * each)
