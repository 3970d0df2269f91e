"""Pipeline stages: which layers of the model are whose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ...spec.layout import Layout
from ...spec.shape import ModelShape
from ...spec.stage_layers import stage_layers


class TiedStages(Protocol):
    """What joins the embedding of the first stage and the head of the last where they are one matrix."""

    def copy_weight(self) -> None:
        """Before the forward passes of a step."""
        ...

    def expect_gradient(self) -> None:
        """Before its last backward pass."""
        ...

    def send_gradient(self) -> None:
        """After its last backward pass."""
        ...


@dataclass(frozen=True, slots=True)
class PipelineStage:
    """Stage `index` of `count`; the first has the embedding, the last norm and head, and if `uneven` fewer layers."""

    index: int = 0
    count: int = 1
    uneven: bool = False

    @property
    def first(self) -> bool:
        """Whether tokens come in here."""
        return self.index == 0

    @property
    def last(self) -> bool:
        """Whether the loss is made here."""
        return self.index == self.count - 1

    def layers(self, shape: ModelShape) -> range:
        """Its layers of a model of this shape."""
        each = stage_layers(shape, Layout(pipeline=self.count, uneven_stages=self.uneven))
        start = sum(each[: self.index])
        return range(start, start + each[self.index])
